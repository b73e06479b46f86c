"""The DAG on a real scheduler: Airflow on PostgreSQL, Spark for clean and aggregate, rows in ClickHouse.

The tests depend on each other, in this order: the scheduled run, a run over the REST API in which a stage
fails once, a second run of the same day, a permanent failure, a stopped run, and a run that times out.
"""

from __future__ import annotations

import fcntl
import json
import re
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from live import RUN_SECONDS, RUNS, SPARK_ENVIRONMENT, Live
from services import wait_for

STAGES = ["migrate", "generate", "clean", "load", "aggregate", "transfer", "verify", "report"]
MOSCOW = ZoneInfo("Europe/Moscow")

pytestmark = pytest.mark.skipif(
    not SPARK_ENVIRONMENT, reason="run by tests/dags/run.ts, which prepares PySpark"
)


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    found = Live(tmp_path_factory.mktemp("live"))
    yield found
    found.stop()


def moscow_date(text: str) -> str:
    return datetime.fromisoformat(text).astimezone(MOSCOW).date().isoformat()


def expect_all_stages_done(live: Live, run: str) -> None:
    for stage in STAGES:
        # Every shard writes this record; the last one applies to all.
        record = live.record(run, stage)
        assert record["status"] == "done", stage
        assert record["engine"] == ("spark" if stage in ("clean", "aggregate") else "native")
    assert (live.store / "runs" / run / "report" / "report.html").stat().st_size > 10_000


def test_scheduled_run_loads_clickhouse_from_scratch(live: Live) -> None:
    assert live.databases.postgres("SELECT count(*) FROM pg_namespace WHERE nspname = 'shop'") == [(0,)]
    live.unpause()
    (run,) = wait_for("the scheduled run", lambda: live.ask("GET", RUNS)["dag_runs"], 60)
    assert run["run_type"] == "scheduled"
    due = datetime.fromisoformat(run["run_after"])
    moscow = due.astimezone(MOSCOW)
    assert (moscow.isoweekday(), moscow.hour, moscow.minute) == (2, 12, 45)
    assert timedelta(0) <= datetime.now(UTC) - due < timedelta(weeks=1, minutes=5)
    day = moscow_date(run["run_after"])

    live.wait(run["dag_run_id"], "success")

    live.expect_rows(day, day)
    expect_all_stages_done(live, day)
    seen = {(task["task_id"], task["map_index"]): task["state"] for task in live.tasks(run["dag_run_id"])}
    assert seen == {
        **{(stage, -1): "success" for stage in STAGES if stage != "generate"},
        ("generate", 0): "success",
        ("generate", 1): "success",
        ("generate", 2): "skipped",
    }
    manifest = json.loads((live.store / "runs" / day / "raw" / "manifest.json").read_text())
    assert manifest["facts"]["seed"] == 1, "every week shows the same shop"


@pytest.fixture(scope="module")
def manual_run(live: Live) -> Iterator[dict]:
    """A run over the REST API, whose first stage finds the run locked at first."""
    day = datetime.now(MOSCOW).date().isoformat()
    folder = live.store / "runs" / day
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock-run").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        run = live.trigger()
        wait_for(
            "a second try of migrate",
            lambda: live.task(run["dag_run_id"], "migrate")["state"] == "up_for_retry",
            RUN_SECONDS,
            0.2,
        )
    live.wait(run["dag_run_id"], "success")
    return {**run, "day": day, "tables": live.tables()}


def test_rest_run_loads_clickhouse(live: Live, manual_run: dict) -> None:
    assert manual_run["run_type"] == "manual"
    assert manual_run["logical_date"] is None
    assert moscow_date(manual_run["run_after"]) == manual_run["day"]
    live.expect_rows(manual_run["day"], manual_run["day"])
    expect_all_stages_done(live, manual_run["day"])


def test_temporary_failure_is_retried(live: Live, manual_run: dict) -> None:
    tries = {task["task_id"]: task["try_number"] for task in live.tasks(manual_run["dag_run_id"])}
    assert tries.pop("migrate") >= 2
    del tries["generate"]  # Its skipped shards have no tries.
    assert set(tries.values()) == {1}
    first = live.ask(
        "GET", f"{RUNS}/{manual_run['dag_run_id']}/taskInstances/migrate/logs/1?full_content=true"
    )
    text = json.dumps(first)
    assert "Another salesflow command is working on run" in text
    assert "migrate failed temporarily (exit code 75)" in text


def test_second_run_of_the_day_leaves_the_same_tables(live: Live, manual_run: dict) -> None:
    again = live.trigger()
    live.wait(again["dag_run_id"], "success")
    assert live.record(manual_run["day"], "report")["attempt"] >= 2
    assert live.tables() == manual_run["tables"]


def test_permanent_failure_is_not_retried_and_is_reported_once(live: Live, manual_run: dict) -> None:
    day = "2026-01-06"
    record = live.store / "runs" / day / "run.json"
    record.parent.mkdir(parents=True)
    record.write_text("{")

    run_id = live.trigger(as_of=day)["dag_run_id"]
    live.wait(run_id, "failed")

    (alert,) = wait_for("the alert", lambda: live.webhook.texts_about(run_id), 30)
    last_try = live.task(run_id, "migrate")["try_number"]
    assert (
        f"Stage migrate of sales_pipeline failed in {run_id} (try {last_try}): migrate failed permanently"
        in alert
    )
    assert f"Cannot parse runs/{day}/run.json" in alert
    assert "Remove the file" in alert, "the remedy of salesflow"
    assert re.search(rf"Log: http://\S+/runs/\S+/tasks/migrate\?try_number={last_try}$", alert)
    states = {task["task_id"]: task["state"] for task in live.tasks(run_id)}
    assert states.pop("migrate") == "failed"
    assert set(states.values()) == {"upstream_failed"}
    # On a busy machine Airflow may lose a try before the stage starts.
    assert live.starts(run_id, "migrate") == 1
    assert live.tables() == manual_run["tables"]


def processes_of(run: str) -> list[int]:
    """Returns the ids of generate processes of a run on this machine."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                arguments = (folder / "cmdline").read_bytes().decode(errors="replace").split("\0")
            except OSError:
                continue
            if run in arguments and "generate" in arguments:
                found.append(int(folder.name))
    return found


def test_stopping_a_task_terminates_its_processes_and_changes_no_table(live: Live, manual_run: dict) -> None:
    rows = 500_000_000
    run = live.trigger(rows=rows)
    folder = f"{manual_run['day']}.rows-{rows}"
    path = f"{RUNS}/{run['dag_run_id']}/taskInstances/generate"
    part = wait_for(
        "generated data", lambda: next((live.store / "runs" / folder / "raw").glob("*"), None), RUN_SECONDS
    )
    assert part.exists()
    assert len(processes_of(folder)) >= 2, "two shards"
    for map_index in range(3):
        live.ask("PATCH", f"{path}/{map_index}", {"new_state": "failed"})
    wait_for("the end of the processes", lambda: not processes_of(folder), 60)
    live.wait(run["dag_run_id"], "failed")
    assert live.tables() == manual_run["tables"]


def test_run_timeout_is_reported_once(live: Live, manual_run: dict) -> None:
    rows = 400_000_000
    run_id = live.trigger(rows=rows)["dag_run_id"]
    folder = f"{manual_run['day']}.rows-{rows}"
    wait_for("a process of generate", lambda: processes_of(folder), RUN_SECONDS)
    live.backdate_start(run_id, 2)
    live.wait(run_id, "failed")
    wait_for("the end of the processes", lambda: not processes_of(folder), 60)
    states = {task["task_id"]: task["state"] for task in live.tasks(run_id)}
    assert states["migrate"] == "success"
    assert states["report"] == "skipped"

    (alert,) = wait_for("the alert", lambda: live.webhook.texts_about(run_id), 60)
    assert alert.startswith(f"Run {run_id} of sales_pipeline failed: it exceeded the time limit of a run")
    assert live.tables() == manual_run["tables"]


def test_only_failures_are_reported_and_only_once(live: Live, manual_run: dict) -> None:
    """Runs last, when the DAG's callback has also been called for each failed run."""
    alerts = [sent["body"]["text"] for sent in live.webhook.received]
    assert not [text for text in alerts if manual_run["dag_run_id"] in text]
    assert len([text for text in alerts if "migrate failed permanently" in text]) == 1
    assert len([text for text in alerts if "time limit" in text]) == 1


def test_no_password_is_in_logs_or_rendered_templates(live: Live, manual_run: dict) -> None:
    passwords = [*live.databases.passwords(), "token-hunter2"]
    assert len(passwords) >= 2
    assert live.airflow is not None
    logs = [*(live.airflow.home / "logs").rglob("*.log"), *(service.log for service in live.airflow.services)]
    assert len(logs) > len(STAGES) * 3
    rendered = [json.dumps(task["rendered_fields"]) for task in live.tasks(manual_run["dag_run_id"])]
    assert manual_run["day"] in rendered[0]
    for text in [*rendered, *(path.read_text(errors="replace") for path in logs)]:
        for password in passwords:
            assert password not in text


def test_rest_rejects_invalid_parameters(live: Live) -> None:
    import urllib.error

    for conf in ({"rows": 0}, {"as_of": "yesterday"}, {"seed": "x"}):
        with pytest.raises(urllib.error.HTTPError) as caught:
            live.trigger(**conf)
        assert caught.value.code in (400, 422)


def test_airflow_has_no_import_errors(live: Live) -> None:
    assert live.ask("GET", "/api/v2/importErrors")["total_entries"] == 0
    assert live.airflow is not None
    done = subprocess.run(
        ["airflow", "dags", "list-import-errors", "-o", "json"],
        env=live.airflow.environment,
        capture_output=True,
        text=True,
    )
    assert json.loads(done.stdout.strip().splitlines()[-1]) == []
