"""The weekly sales pipeline, from an empty folder to ClickHouse: Tuesday, 12:45 Europe/Moscow.

Where the stages run is one setting (SALESFLOW_RUNNER); all settings are described in dags/README.md.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from airflow.sdk import DAG, CronTriggerTimetable, Param

from salesflow_runners import open_runner
from salesflow_runners.alerts import report_failure, report_run_failure
from salesflow_runners.runs import MOSCOW, Runs
from salesflow_runners.settings import MOST_ROWS, MOST_SEED, Settings

SETTINGS = Settings.from_environment()
RUNNER = open_runner(SETTINGS)
RUNS = Runs(SETTINGS)

SCHEDULE = CronTriggerTimetable("45 12 * * 2", timezone="Europe/Moscow")

DOC = """
# Weekly sales

`migrate → generate → clean → load → aggregate → transfer → verify → report`

Every Tuesday at 12:45 Moscow time the sales of the last 365 days are generated, cleaned by Spark, loaded into
PostgreSQL, aggregated by Spark, carried over to ClickHouse under the import date, recounted, and reported.

**By hand.** Trigger the DAG. `rows` and `seed` fix the data; `as_of` repeats another day (empty: today in
Moscow). A run for the same day with the same parameters takes the place of the earlier one. Another number of
rows or another seed gets a run id that says so; the tables hold the run that came last.

**When a stage fails.** What may pass is retried by itself (exit code 75, a lost pod, a timeout), later and
later. What will not pass (exit codes 1 and 2) stops the run at once. Read the last lines of the task's log,
correct the cause, clear the task: every stage can be repeated, and readers of the tables never see a
half-finished one.
"""

DEFAULTS = {
    "owner": "sales-data",
    "pool": SETTINGS.pool,
    "retries": SETTINGS.retries,
    "retry_delay": timedelta(seconds=SETTINGS.retry_delay),
    "retry_exponential_backoff": 2.0,
    "max_retry_delay": timedelta(minutes=30),
    "on_failure_callback": report_failure,
}

PARAMS = {
    "rows": Param(
        SETTINGS.rows, type="integer", minimum=1, maximum=MOST_ROWS, description="Sales to generate"
    ),
    "seed": Param(
        SETTINGS.seed,
        type=["null", "integer"],
        minimum=0,
        maximum=MOST_SEED,
        description="Fixes the sales; empty: the as-of date as YYYYMMDD",
    ),
    "as_of": Param(
        None,
        type=["null", "string"],
        format="date",
        pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
        description="Last day of the sales and import date; empty: the day of the run in Moscow",
    ),
}

with DAG(
    dag_id="sales_pipeline",
    description="Weekly sales: CSV, Spark, PostgreSQL, ClickHouse",
    doc_md=DOC,
    schedule=SCHEDULE,
    start_date=datetime(2026, 1, 1, tzinfo=MOSCOW),
    catchup=False,
    max_active_runs=1,
    # Its unfinished tasks become "skipped" without a word, so the run itself has to tell.
    dagrun_timeout=timedelta(hours=24),
    on_failure_callback=report_run_failure,
    default_args=DEFAULTS,
    params=PARAMS,
    tags=["sales", "weekly"],
    user_defined_macros={"sales": RUNS, "spark": RUNNER.template_words},
):
    migrate = RUNNER.binary("migrate", execution_timeout=timedelta(minutes=10))
    generate = RUNNER.fan_out(
        "generate",
        *RUNS.shard_options("--rows", "{{ params.rows }}", "--seed", "{{ sales.seed(dag_run, params) }}"),
        pre_execute=RUNS.skip_surplus_shard,
        execution_timeout=timedelta(hours=2),
    )
    clean = RUNNER.spark("clean", execution_timeout=timedelta(hours=4), trigger_rule="none_failed")
    load = RUNNER.binary("load", execution_timeout=timedelta(hours=2))
    aggregate = RUNNER.spark("aggregate", execution_timeout=timedelta(hours=2))
    transfer = RUNNER.binary("transfer", execution_timeout=timedelta(minutes=30))
    verify = RUNNER.binary("verify", execution_timeout=timedelta(hours=1))
    report = RUNNER.binary("report", execution_timeout=timedelta(minutes=30))

    migrate >> generate >> clean >> load >> aggregate >> transfer >> verify >> report
