"""The weekly sales pipeline: Tuesdays, 12:45 Europe/Moscow.

SALESFLOW_RUNNER selects where the stages run. All settings are documented in dags/README.md.
"""

from __future__ import annotations

import math
from datetime import datetime, timedelta

from airflow.sdk import DAG, CronTriggerTimetable, Param

from salesflow_runners import open_runner
from salesflow_runners.alerts import report_run_failure, report_task_failure
from salesflow_runners.runs import MOSCOW, RunMacros
from salesflow_runners.settings import MAX_ROWS, MAX_SEED, Settings

SETTINGS = Settings.from_environment()
RUNNER = open_runner(SETTINGS)
RUNS = RunMacros(SETTINGS)

SCHEDULE = CronTriggerTimetable("45 12 * * 2", timezone="Europe/Moscow")

DOC = """
# Weekly sales

`migrate → {first} → clean → load → aggregate → transfer → verify → report`

Every Tuesday at 12:45 Moscow time the sales of the last 365 days are {made}, cleaned by Spark, loaded into
PostgreSQL, aggregated by Spark, transferred to ClickHouse under the import date, verified and reported.

{first_stage}

**When a stage fails.** Temporary failures (exit code 75, a lost pod, a timeout) are retried with exponential
backoff. Permanent failures (exit codes 1 and 2) stop the run immediately. Read the end of the task's log, fix
the cause, and clear the task: every stage can be repeated, and readers of the tables never see partial
results.
"""

GENERATED = """
**Manual runs.** Trigger the DAG. `rows` and `seed` determine the data; `as_of` selects another day (empty:
that of the logical date, or else today, in Moscow). A run for the same day with the same parameters replaces
the earlier one. A different number of rows or a different seed becomes part of the run id; the tables hold
the latest run. Sales that were ingested under the id of the run are left as they are.
"""
INGESTED = """
**Exports.** `ingest` reads them by the source file `{source}`. While it has no new one, it is tried again
every {minutes} minutes for {hours} hours; then the alert says so. Put the export there and clear the task.

**Manual runs.** Trigger the DAG. `as_of` selects another day (empty: that of the logical date, or else today,
in Moscow). A run for the same day replaces the earlier one.
"""


def describe(settings: Settings) -> str:
    """Returns the documentation of the DAG with these settings."""
    if not settings.source:
        return DOC.format(first="generate", made="generated", first_stage=GENERATED.strip())
    ingested = INGESTED.format(
        source=settings.source,
        minutes=math.ceil(settings.export_retry / 60),
        hours=settings.export_wait_hours,
    )
    return DOC.format(first="ingest", made="read from the shop's exports", first_stage=ingested.strip())


DEFAULTS = {
    "owner": "sales-data",
    "pool": SETTINGS.pool,
    "retries": SETTINGS.retries,
    "retry_delay": timedelta(seconds=SETTINGS.retry_delay),
    "retry_exponential_backoff": 2.0,
    "max_retry_delay": timedelta(minutes=30),
    "on_failure_callback": report_task_failure,
}

GENERATE_PARAMS = {
    "rows": Param(
        SETTINGS.rows, type="integer", minimum=1, maximum=MAX_ROWS, description="Number of sales to generate"
    ),
    "seed": Param(
        SETTINGS.seed,
        type=["null", "integer"],
        minimum=0,
        maximum=MAX_SEED,
        description="Seed of the generated sales; empty: the default of the installation",
    ),
}
PARAMS = {
    **({} if SETTINGS.source else GENERATE_PARAMS),
    "as_of": Param(
        None,
        type=["null", "string"],
        format="date",
        pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
        description="Last day of the sales and import date; empty: that of the logical date, or else today",
    ),
}

with DAG(
    dag_id="sales_pipeline",
    description="Weekly sales: CSV, Spark, PostgreSQL, ClickHouse",
    doc_md=describe(SETTINGS),
    schedule=SCHEDULE,
    start_date=datetime(2026, 1, 1, tzinfo=MOSCOW),
    catchup=False,
    max_active_runs=1,
    # After this timeout Airflow marks unfinished tasks as skipped, without calling their callbacks.
    dagrun_timeout=timedelta(hours=24),
    on_failure_callback=report_run_failure,
    default_args=DEFAULTS,
    params=PARAMS,
    tags=["sales", "weekly"],
    user_defined_macros={"sales": RUNS, "spark": RUNNER.template_settings},
):
    migrate = RUNNER.binary("migrate", execution_timeout=timedelta(minutes=10))
    if SETTINGS.source:
        first = RUNNER.binary(
            "ingest",
            "--source",
            SETTINGS.source,
            execution_timeout=timedelta(hours=2),
            # While there is no new export: tried again in equal steps, without a slot in between.
            retries=SETTINGS.export_tries,
            retry_delay=timedelta(seconds=SETTINGS.export_retry),
            retry_exponential_backoff=0,
        )
    else:
        # A person may have ingested the exports of the day under the id of this run.
        options = (
            "--keep-ingested",
            "--rows",
            "{{ sales.rows(params) }}",
            "--seed",
            "{{ sales.seed(params) }}",
        )
        first = RUNNER.fan_out(
            "generate",
            *RUNS.shard_options(*options),
            pre_execute=RUNS.skip_surplus_shard,
            execution_timeout=timedelta(hours=2),
        )
    clean = RUNNER.spark("clean", execution_timeout=timedelta(hours=4), trigger_rule="none_failed")
    load = RUNNER.binary("load", execution_timeout=timedelta(hours=2))
    aggregate = RUNNER.spark("aggregate", execution_timeout=timedelta(hours=2))
    transfer = RUNNER.binary("transfer", execution_timeout=timedelta(minutes=30))
    verify = RUNNER.binary("verify", execution_timeout=timedelta(hours=1))
    report = RUNNER.binary("report", execution_timeout=timedelta(minutes=30))

    migrate >> first >> clean >> load >> aggregate >> transfer >> verify >> report
