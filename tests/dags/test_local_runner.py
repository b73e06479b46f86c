"""The local runner, with real processes."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowTaskTimeout

from conftest import DAGS
from salesflow_runners.local import LocalRunner, ProcessOperator
from salesflow_runners.outcomes import MOST_ERROR_CHARACTERS, Output, last_error, relay
from salesflow_runners.settings import Settings


def shell(script: str, *arguments: str) -> ProcessOperator:
    return ProcessOperator(task_id="load", command=["/bin/sh", "-c", script, "load"], arguments=arguments)


def lives(pid: int) -> bool:
    """Whether a process is there and not merely waiting to be forgotten."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_until(is_so, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)


def test_exit_code_0_is_success() -> None:
    shell("exit 0").execute({})


FINAL = [
    (1, "load failed for good (exit code 1)"),
    (2, "load was called or configured wrongly (exit code 2)"),
]


@pytest.mark.parametrize(("code", "message"), FINAL)
def test_final_exit_codes_fail_at_once(code: int, message: str) -> None:
    with pytest.raises(AirflowFailException) as caught:
        shell(f"exit {code}").execute({})
    assert message in str(caught.value)


PASSING = [
    ("exit 75", "load failed for now (exit code 75)"),
    ("exit 3", "load ended with exit code 3"),
    ("kill -KILL $$", "load was ended by signal 9"),
    ("kill -TERM $$", "load was ended by signal 15"),
]


@pytest.mark.parametrize(("script", "message"), PASSING, ids=[script for script, _ in PASSING])
def test_other_endings_are_retried(script: str, message: str) -> None:
    with pytest.raises(AirflowException) as caught:
        shell(script).execute({})
    assert not isinstance(caught.value, AirflowFailException)
    assert message in str(caught.value)


def test_a_program_that_is_not_there_fails_at_once() -> None:
    task = ProcessOperator(task_id="load", command=["/nowhere/salesflow"], arguments=["load"])
    with pytest.raises(AirflowFailException, match="Cannot start /nowhere/salesflow: No such file"):
        task.execute({})


def test_arguments_are_passed_as_they_are(tmp_path: Path) -> None:
    out = tmp_path / "arguments"
    shell('printf "%s|" "$@" > "$0.txt"'.replace("$0.txt", str(out)), "a b", "$(id)", "").execute({})
    assert out.read_text() == "a b|$(id)||"


def test_the_stage_gets_the_environment_without_that_of_airflow(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "postgresql://airflow:hunter2@db/airflow")
    monkeypatch.setenv("_AIRFLOW_SOMETHING", "1")
    monkeypatch.setenv("SALESFLOW_POSTGRES_URL", "postgres://sales:secret@db/sales")
    out = tmp_path / "environment"
    shell(f"env > {out}").execute({})
    text = out.read_text()
    assert "SALESFLOW_POSTGRES_URL=postgres://sales:secret@db/sales" in text
    assert "AIRFLOW" not in text


def test_output_reaches_the_log_with_its_level(caplog) -> None:
    lines = [
        '{"@timestamp": "2026-11-24T09:45:00Z", "level": "WARN", "message": "slow disk", "logger": "x"}',
        '{"level": "info", "message": "1000000 rows in"}',
        '{"stage": "load", "rows": 3}',
        "plain words",
        "",
        '{"level": "ERROR", "message": "No raw data", "remedy": "Generate it again.", "exit_code": 1}',
        '{"level": "WARN", "message": "Lost task 3", "error": "Connection reset", "remedy": null}',
        '{"level": "WARN", "message": "Lost task 4", "error": null}',
        "error: load: Cannot reach db",
        "  because: refused",
        "Picked up JAVA_TOOL_OPTIONS",
    ]
    caplog.set_level(logging.DEBUG, logger="relay")
    output = Output()
    for line in lines:
        relay(logging.getLogger("relay"), output, line)
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("WARNING", "slow disk"),
        ("INFO", "1000000 rows in"),
        ("INFO", lines[2]),
        ("INFO", "plain words"),
        ("ERROR", "No raw data. Generate it again."),
        ("WARNING", "Lost task 3: Connection reset"),
        ("WARNING", "Lost task 4"),
        ("ERROR", "error: load: Cannot reach db"),
        ("ERROR", "  because: refused"),
        ("INFO", "Picked up JAVA_TOOL_OPTIONS"),
    ]


TOOL = '{"level": "ERROR", "logger": "salesflow.clean", "message": "No raw data", "remedy": "Generate it."}'
SPARK = '{"level": "ERROR", "logger": "org.apache.spark.X", "message": "Task lost", "error": "reset"}'
ERRORS = [
    ("none", ["plain words", '{"level": "WARN", "message": "slow"}'], ""),
    ("of the job", [TOOL], "No raw data. Generate it."),
    ("of Spark", [SPARK, "plain words"], "Task lost: reset"),
    ("of both, the job's first", [TOOL, SPARK], "No raw data. Generate it."),
    ("of both, Spark's first", [SPARK, TOOL], "No raw data. Generate it."),
    (
        "of the binary",
        ["error: load: Cannot reach db", "  because: refused", "  Start it.", "", "  no more"],
        "load: Cannot reach db; because: refused; Start it.",
    ),
    ("of the binary, several", ["error: --rows: 0", "error: --seed: x"], "--rows: 0; --seed: x"),
    ("of the binary, the last", ["error: first", "words", "error: second"], "second"),
]


@pytest.mark.parametrize(("lines", "error"), [case[1:] for case in ERRORS], ids=[case[0] for case in ERRORS])
def test_the_last_error_is_remembered(lines: list[str], error: str) -> None:
    assert last_error("\n".join(lines)) == error


def test_a_long_error_is_cut() -> None:
    assert len(last_error(f"error: {'x' * 5000}")) == MOST_ERROR_CHARACTERS + 1


@pytest.mark.parametrize(("code", "kind"), [(1, AirflowFailException), (75, AirflowException)])
def test_the_failure_tells_the_last_error(code: int, kind: type[Exception]) -> None:
    with pytest.raises(kind, match="It said: load: No such run; Generate it"):
        shell(f"echo 'error: load: No such run'; echo '  Generate it.' >&2; exit {code}").execute({})


def test_both_streams_are_read_to_the_end(monkeypatch) -> None:
    seen: list[str] = []
    monkeypatch.setattr("salesflow_runners.local.relay", lambda log, output, line: seen.append(line))
    shell("i=0; while [ $i -lt 20000 ]; do echo out $i; echo err $i >&2; i=$((i+1)); done").execute({})
    assert len(seen) == 40_000
    assert seen[-1] == "err 19999"


# A program with a child, as spark-submit has; both note their number.
FAMILY = 'sleep 600 & echo "$! $$" > "$1.new"; mv "$1.new" "$1"; wait'
STUBBORN = f"trap '' TERM; {FAMILY}; sleep 600"


@pytest.mark.parametrize("script", [FAMILY, STUBBORN], ids=["obedient", "deaf to SIGTERM"])
def test_on_kill_ends_the_whole_process_group(tmp_path: Path, script: str) -> None:
    pids = tmp_path / "pids"
    task = shell(script, str(pids))
    outcome: list[BaseException] = []

    def work() -> None:
        try:
            task.execute({})
        except BaseException as error:
            outcome.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    wait_until(pids.exists)
    family = [int(pid) for pid in pids.read_text().split()]
    assert all(lives(pid) for pid in family)
    started = time.monotonic()
    task.on_kill()
    thread.join(20)
    assert not thread.is_alive()
    wait_until(lambda: not any(lives(pid) for pid in family), 2)
    assert time.monotonic() - started < 5, "Airflow would have killed the task process by now"
    assert isinstance(outcome[0], AirflowException)


def test_sigterm_in_the_task_process_ends_the_stage(tmp_path: Path) -> None:
    """As Airflow's task runner does it: on_kill runs in the signal handler while execute waits for output."""
    pids = tmp_path / "pids"
    task = shell(FAMILY, str(pids))
    before = signal.signal(signal.SIGTERM, lambda *_: task.on_kill())

    def terminate() -> None:
        wait_until(pids.exists)
        os.kill(os.getpid(), signal.SIGTERM)

    thread = threading.Thread(target=terminate)
    thread.start()
    try:
        with pytest.raises(AirflowException, match="ended by signal 15"):
            task.execute({})
    finally:
        signal.signal(signal.SIGTERM, before)
        thread.join()
    assert not any(lives(int(pid)) for pid in pids.read_text().split())


def test_a_timeout_ends_the_stage(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    task = shell(FAMILY, str(pids))

    def time_out(*_: object) -> None:
        raise AirflowTaskTimeout("Timeout")

    before = signal.signal(signal.SIGALRM, time_out)

    def alarm() -> None:
        wait_until(pids.exists)
        os.kill(os.getpid(), signal.SIGALRM)

    thread = threading.Thread(target=alarm)
    thread.start()
    try:
        with pytest.raises(AirflowTaskTimeout):
            task.execute({})
    finally:
        signal.signal(signal.SIGALRM, before)
        thread.join()
    assert not any(lives(int(pid)) for pid in pids.read_text().split())


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process of its parent's death")
def test_a_killed_task_process_leaves_no_stage_behind(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    code = (
        "import sys; from salesflow_runners.local import ProcessOperator as P; "
        'P(task_id="load", command=["sh", "-c", sys.argv[1], "load"], arguments=[sys.argv[2]]).execute({})'
    )
    script = f"trap 'kill $!; exit 143' TERM; {FAMILY}"
    process = subprocess.Popen([sys.executable, "-c", code, script, str(pids)], cwd=DAGS)
    wait_until(pids.exists, 60)
    family = [int(pid) for pid in pids.read_text().split()]
    assert all(lives(pid) for pid in family)
    process.kill()
    process.wait()
    try:
        wait_until(lambda: not any(lives(pid) for pid in family))
    finally:
        for pid in filter(lives, family):
            os.kill(pid, signal.SIGKILL)


def test_spark_stages_are_submitted_as_the_settings_say() -> None:
    settings = Settings.from_environment(
        {
            "SALESFLOW_SPARK_SUBMIT": "/opt/spark/bin/spark-submit",
            "SALESFLOW_SPARK_MASTER": "spark://master:7077",
            "SALESFLOW_SPARK_JOB": "/jobs/job.py",
            "SALESFLOW_SPARK_JARS": "/jars/postgresql.jar, /jars/other.jar",
            "SALESFLOW_SPARK_CONF": json.dumps({"spark.b": "2", "spark.a": "1"}),
        }
    )
    assert list(LocalRunner(settings).spark("clean").command) == [
        *("/opt/spark/bin/spark-submit", "--master", "spark://master:7077", "--name", "salesflow-clean"),
        *("--jars", "/jars/postgresql.jar,/jars/other.jar"),
        *("--conf", "spark.a=1", "--conf", "spark.b=2", "/jobs/job.py"),
    ]


def test_no_secret_is_in_what_airflow_shows(read_dag, context) -> None:
    dag = read_dag(
        {
            "SALESFLOW_POSTGRES_URL": "postgres://sales:hunter2@db/sales",
            "SALESFLOW_CLICKHOUSE_URL": "http://sales:hunter2@ch",
            "SALESFLOW_ALERT_URL": "https://hooks.example.test/hunter2",
        }
    )
    from airflow.serialization.serialized_objects import DagSerialization

    assert "hunter2" not in json.dumps(DagSerialization.to_dict(dag))
    for task in dag.tasks:
        task.render_template_fields(context(task))
        shown = [*task.command, *(str(getattr(task, field)) for field in task.template_fields)]
        assert "hunter2" not in " ".join(shown)
