"""The command line: parsing, and as a process, on local[*] and on a cluster."""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from cases import AS_OF, HEADER
from cluster import SPARK_HOME, running_cluster, wait_until
from errors import EXIT_USAGE, StageError
from job import parse_arguments, prepare
from recount import recount
from server import PASSWORD, WAIT_TIMEOUT_S, Server, free_port
from shop import extra_tables, insert_sales, read_aggregates
from stores import RUN_ID, read_manifest, read_rows, write_raw

JOB = Path(__file__).resolve().parents[2] / "k8s" / "spark" / "job.py"
SALES = [("North", 1, 2, "10.00"), ("South", 2, 1, "0.05"), ("North", 2, 5, "999.99")]
ROWS = "".join(f"{number},11,22,3,{AS_OF},10.00,North\n" for number in range(1, 101))
RAW = [f"{HEADER}\n{ROWS}x\n".encode()]


INVALID_ARGUMENTS = [
    [],
    ["clean"],
    ["clean", "--store", "/x"],
    ["load", "--store", "/x", "--run-id", "a"],
    ["clean", "--store", "/x", "--run-id", "../a"],
    ["clean", "--store", "/x", "--run-id", "a..b"],
    ["clean", "--store", "/x", "--run-id", "A"],
    ["clean", "--store", "/x", "--run-id", "a", "--max-rejected", "1.5"],
    ["clean", "--store", "/x", "--run-id", "a", "--max-rejected", "nan"],
    ["aggregate", "--store", "/x", "--run-id", "a", "--no-date-range"],
]


@pytest.fixture
def no_variables(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Removes all settings from the environment."""
    for name in ("STORE", "RUN_ID", "MAX_REJECTED", "NO_DATE_RANGE", "POSTGRES_URL", "POSTGRES_URL_FILE"):
        monkeypatch.delenv(f"SALESFLOW_{name}", raising=False)
    return monkeypatch


@pytest.mark.usefixtures("no_variables")
@pytest.mark.parametrize("arguments", INVALID_ARGUMENTS, ids=" ".join)
def test_parse_arguments_rejects(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as end:
        parse_arguments(arguments)
    assert end.value.code == EXIT_USAGE


@pytest.mark.usefixtures("no_variables")
def test_parse_arguments_reads_flags() -> None:
    line = ["clean", "--store", "/x", "--run-id", "2026-11-24", "--max-rejected", "0.25", "--no-date-range"]
    assert parse_arguments(line) == argparse.Namespace(
        stage="clean", store="/x", run_id="2026-11-24", max_rejected=0.25, no_date_range=True
    )
    assert parse_arguments(line[:5]).max_rejected == 0.1
    assert parse_arguments(line[:5]).no_date_range is False


def test_parse_arguments_reads_variables_when_flags_are_missing(no_variables: pytest.MonkeyPatch) -> None:
    for name, value in {"STORE": "/y", "RUN_ID": "b", "MAX_REJECTED": "0.5", "NO_DATE_RANGE": "true"}.items():
        no_variables.setenv(f"SALESFLOW_{name}", value)
    options = parse_arguments(["clean", "--store", "/x"])
    assert (options.store, options.run_id, options.max_rejected) == ("/x", "b", 0.5)
    assert options.no_date_range is True
    no_variables.setenv("SALESFLOW_NO_DATE_RANGE", "false")
    assert parse_arguments(["clean"]).no_date_range is False
    no_variables.setenv("SALESFLOW_MAX_REJECTED", "many")
    with pytest.raises(SystemExit):
        parse_arguments(["clean"])


@pytest.mark.usefixtures("no_variables")
def test_prepare_validates_the_configuration() -> None:
    for line in (["clean", "--store", "ftp://x"], ["aggregate", "--store", "/x"]):
        with pytest.raises(StageError) as failure:
            prepare(parse_arguments([*line, "--run-id", "a"]))
        assert failure.value.exit_code == EXIT_USAGE


def environment(**variables: str) -> dict[str, str]:
    """Returns the environment without Spark, salesflow and AWS settings, except the one of run.ts."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name == "SPARK_SUBMIT_OPTS" or not name.startswith(("SPARK_", "SALESFLOW_", "AWS_"))
    }
    return {
        **kept,
        "SPARK_LOCAL_IP": "127.0.0.1",
        "PYSPARK_PYTHON": sys.executable,
        "PYSPARK_SUBMIT_ARGS": "--conf spark.ui.enabled=false pyspark-shell",
        **variables,
    }


def run_job(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Runs job.py on local[*]."""
    command = [sys.executable, JOB, *arguments]
    return subprocess.run(
        command, env=environment(**variables), capture_output=True, text=True, timeout=10 * WAIT_TIMEOUT_S
    )


def log_lines(stderr: str) -> list[dict]:
    """Returns the JSON lines of a log; Java may print other lines before them."""
    lines = [line for line in stderr.splitlines() if line.startswith("{")]
    assert lines, stderr
    return [json.loads(line) for line in lines]


def read_record(run: Path, stage: str) -> dict:
    """Reads the record of a stage, after checking its keys."""
    record = json.loads((run / "stages" / f"{stage}.json").read_text())
    assert list(record) == [
        *["stage", "status", "engine", "attempt", "started_at", "finished_at", "seconds"],
        *["rows_in", "rows_out", "facts", "error"],
    ]
    assert (record["stage"], record["engine"]) == (stage, "spark")
    return record


def test_job_cleans_and_records_each_attempt(tmp_path: Path) -> None:
    run = write_raw(tmp_path, RAW, AS_OF)
    done = run_job("clean", "--store", str(tmp_path), "--run-id", RUN_ID)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    published = read_manifest(run, "clean")
    facts = published["facts"]
    assert answer == {"stage": "clean", "run_id": RUN_ID, "rows_in": 101, "rows_out": 100, "facts": facts}
    last = log_lines(done.stderr)[-1]
    assert (last["level"], last["logger"], last["run_id"]) == ("INFO", "salesflow.clean", RUN_ID)
    record = read_record(run, "clean")
    assert (record["status"], record["attempt"], record["rows_in"], record["rows_out"]) == (
        "done",
        1,
        101,
        100,
    )
    assert (record["facts"], record["error"]) == (facts, None)
    assert record["seconds"] > 0

    # The same settings as variables; now no row may be rejected.
    variables = {
        "SALESFLOW_STORE": tmp_path.as_uri(),
        "SALESFLOW_RUN_ID": RUN_ID,
        "SALESFLOW_MAX_REJECTED": "0",
    }
    failed = run_job("clean", **variables)
    assert (failed.returncode, failed.stdout) == (1, "")
    record = read_record(run, "clean")
    assert (record["status"], record["attempt"], record["rows_in"], record["facts"]) == (
        "failed",
        2,
        None,
        {},
    )
    message = "1 of 101 rows would be rejected, more than --max-rejected 0 allows: malformed_row 1"
    remedy = "Nothing was published. Fix the raw data, or raise --max-rejected."
    assert record["error"] == {"message": message, "remedy": remedy, "exit_code": 1}
    last = log_lines(failed.stderr)[-1]
    assert (last["level"], last["message"], last["remedy"]) == ("ERROR", message, remedy)
    assert read_manifest(run, "clean") == published


def test_job_exits_with_75_when_another_command_holds_the_run(tmp_path: Path) -> None:
    run = write_raw(tmp_path, RAW, AS_OF)
    with (run / ".lock-run").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        failed = run_job("clean", "--store", str(tmp_path), "--run-id", RUN_ID)
    assert failed.returncode == 75
    assert (
        "Another salesflow command holds runs/test-run/.lock-run" in log_lines(failed.stderr)[-1]["message"]
    )
    assert not (run / "stages").exists()


def test_job_fails_for_a_missing_run(tmp_path: Path) -> None:
    failed = run_job("clean", "--store", str(tmp_path), "--run-id", "nowhere")
    assert failed.returncode == EXIT_USAGE
    assert f"There is no run nowhere in {tmp_path}" in log_lines(failed.stderr)[-1]["message"]
    assert list(tmp_path.iterdir()) == []


def test_job_aggregates(
    tmp_path: Path, server: Server, database: str, db: psycopg.Connection, postgres_jar: Path
) -> None:
    run = write_raw(tmp_path, RAW, AS_OF)
    insert_sales(db, SALES)
    secret = tmp_path / "url"
    secret.write_text(server.url(database))
    done = run_job(
        *["aggregate", "--store", str(tmp_path), "--run-id", RUN_ID],
        SALESFLOW_POSTGRES_URL_FILE=str(secret),
        SALESFLOW_POSTGRES_JAR=str(postgres_jar),
    )
    assert done.returncode == 0, done.stderr
    assert read_aggregates(db) == recount(SALES)
    record = read_record(run, "aggregate")
    levels = {"product": 2, "region": 2, "region_product": 3, "total": 1}
    assert (record["rows_in"], record["rows_out"], record["facts"]) == (3, 8, {"levels": levels})


@pytest.mark.parametrize(
    ("fault", "code", "message"),
    [
        ("connection refused", 75, "refused"),
        ("wrong password", 1, "password authentication failed"),
        ("no such database", 1, "does not exist"),
        ("no tables", 1, "does not exist"),
    ],
)
def test_job_explains_what_is_wrong_with_postgres(
    tmp_path: Path, server: Server, postgres_jar: Path, fault: str, code: int, message: str
) -> None:
    run = write_raw(tmp_path, RAW, AS_OF)
    urls = {
        "connection refused": Server(free_port()).url("postgres"),
        "wrong password": server.url("postgres", password=PASSWORD + "!"),
        "no such database": server.url("missing"),
        "no tables": server.url("postgres"),
    }
    failed = run_job(
        *["aggregate", "--store", str(tmp_path), "--run-id", RUN_ID],
        SALESFLOW_POSTGRES_URL=urls[fault],
        SALESFLOW_POSTGRES_JAR=str(postgres_jar),
    )
    assert failed.returncode == code, failed.stderr
    error = read_record(run, "aggregate")["error"]
    assert error["exit_code"] == code
    assert message in error["message"]
    assert error["remedy"]
    assert PASSWORD not in failed.stderr + json.dumps(error, ensure_ascii=False)


def test_job_exits_with_2_when_the_driver_is_missing(tmp_path: Path, server: Server) -> None:
    write_raw(tmp_path, RAW, AS_OF)
    failed = run_job(
        *["aggregate", "--store", str(tmp_path), "--run-id", RUN_ID],
        SALESFLOW_POSTGRES_URL=server.url("postgres"),
    )
    assert failed.returncode == 2
    assert log_lines(failed.stderr)[-1]["message"] == "Spark has no PostgreSQL JDBC driver"


def test_job_stops_on_a_signal_and_cleans_up(
    tmp_path: Path, server: Server, database: str, db: psycopg.Connection, postgres_jar: Path
) -> None:
    run = write_raw(tmp_path, RAW, AS_OF)
    insert_sales(db, SALES)
    # The job has to wait for this lock before it publishes.
    db.execute("SELECT pg_advisory_lock(hashtextextended('salesflow:sales_aggregates', 0))")
    variables = {
        "SALESFLOW_POSTGRES_URL": server.url(database),
        "SALESFLOW_POSTGRES_JAR": str(postgres_jar),
    }
    process = subprocess.Popen(
        [sys.executable, JOB, "aggregate", "--store", str(tmp_path), "--run-id", RUN_ID],
        env=environment(**variables),
        stderr=subprocess.PIPE,
        text=True,
    )
    waiting = (
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'advisory' AND datname = current_database()"
    )
    wait_until(lambda: db.execute(waiting).fetchone() == (1,), process)
    assert len(extra_tables(db)) == 1
    process.send_signal(signal.SIGTERM)
    _, stderr = process.communicate(timeout=WAIT_TIMEOUT_S)
    assert process.returncode == 75, stderr
    assert log_lines(stderr)[-1]["message"] == "Stopped by SIGTERM"
    assert read_record(run, "aggregate")["error"]["exit_code"] == 75
    assert (extra_tables(db), read_aggregates(db)) == ([], [])


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[str]:
    """A standalone cluster with one worker; yields the master's URL."""
    with running_cluster(tmp_path, workers=1, cores=2, memory="1g", env=environment()) as url:
        yield url


def test_job_runs_unchanged_on_a_cluster_by_spark_submit(
    tmp_path: Path, cluster: str, server: Server, database: str, db: psycopg.Connection, postgres_jar: Path
) -> None:
    run = write_raw(tmp_path, RAW, AS_OF)
    insert_sales(db, SALES)
    variables = environment(
        SPARK_CONF_DIR=str(JOB.parent / "conf"),
        SALESFLOW_STORE=tmp_path.as_uri(),
        SALESFLOW_POSTGRES_URL=server.url(database),
    )
    for stage in ("clean", "aggregate"):
        submit = [SPARK_HOME / "bin" / "spark-submit", "--master", cluster, "--jars", postgres_jar]
        options = ["--conf", "spark.ui.enabled=false", "--conf", "spark.executor.memory=512m"]
        done = subprocess.run(
            [*submit, *options, JOB, stage, "--run-id", RUN_ID],
            env=variables,
            capture_output=True,
            text=True,
            timeout=10 * WAIT_TIMEOUT_S,
        )
        assert done.returncode == 0, done.stderr
        assert PASSWORD not in done.stderr + done.stdout
    assert sorted(read_rows(run, "clean", f"{HEADER}\n".encode())) == sorted(ROWS.encode().splitlines())
    assert read_aggregates(db) == recount(SALES)
