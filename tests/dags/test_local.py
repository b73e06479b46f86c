"""The local runner, with real processes."""

from __future__ import annotations

import json
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
from salesflow_runners.settings import Settings


def shell(script: str, *arguments: str) -> ProcessOperator:
    return ProcessOperator(task_id="load", command=["/bin/sh", "-c", script, "load"], arguments=arguments)


def is_running(pid: int) -> bool:
    """Reports whether a process exists and is not a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_until_gone(pids: list[int], seconds: float = 20) -> None:
    """Waits for processes that were killed: the kernel ends them some time after the signal was sent."""
    wait_until(lambda: not any(is_running(pid) for pid in pids), seconds)


def wait_until(condition, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "timed out"
        time.sleep(0.02)


def test_execute_succeeds_on_exit_code_0() -> None:
    shell("exit 0").execute({})


PERMANENT = [
    (1, "load failed permanently (exit code 1)"),
    (2, "load has a usage or configuration error (exit code 2)"),
]


@pytest.mark.parametrize(("code", "message"), PERMANENT)
def test_execute_fails_without_retry_on_permanent_exit_codes(code: int, message: str) -> None:
    with pytest.raises(AirflowFailException) as caught:
        shell(f"exit {code}").execute({})
    assert message in str(caught.value)


TEMPORARY = [
    ("exit 75", "load failed temporarily (exit code 75)"),
    ("exit 3", "load ended with exit code 3"),
    ("kill -KILL $$", "load was terminated by signal 9"),
    ("kill -TERM $$", "load was terminated by signal 15"),
]


@pytest.mark.parametrize(("script", "message"), TEMPORARY, ids=[script for script, _ in TEMPORARY])
def test_execute_is_retried_otherwise(script: str, message: str) -> None:
    with pytest.raises(AirflowException) as caught:
        shell(script).execute({})
    assert not isinstance(caught.value, AirflowFailException)
    assert message in str(caught.value)


def test_execute_fails_without_retry_when_the_program_is_missing() -> None:
    task = ProcessOperator(task_id="load", command=["/nowhere/salesflow"], arguments=["load"])
    with pytest.raises(AirflowFailException, match="Cannot start /nowhere/salesflow: No such file"):
        task.execute({})


def test_execute_passes_arguments_verbatim(tmp_path: Path) -> None:
    out = tmp_path / "arguments"
    shell('printf "%s|" "$@" > "$0.txt"'.replace("$0.txt", str(out)), "a b", "$(id)", "").execute({})
    assert out.read_text() == "a b|$(id)||"


def test_execute_removes_airflows_variables(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "postgresql://airflow:hunter2@db/airflow")
    monkeypatch.setenv("_AIRFLOW_SOMETHING", "1")
    monkeypatch.setenv("SALESFLOW_POSTGRES_URL", "postgres://sales:secret@db/sales")
    out = tmp_path / "environment"
    shell(f"env > {out}").execute({})
    text = out.read_text()
    assert "SALESFLOW_POSTGRES_URL=postgres://sales:secret@db/sales" in text
    assert "AIRFLOW" not in text


@pytest.mark.parametrize(("code", "kind"), [(1, AirflowFailException), (75, AirflowException)])
def test_execute_reports_the_last_error(code: int, kind: type[Exception]) -> None:
    with pytest.raises(kind, match="Last error: load: No such run; Generate it"):
        shell(f"echo 'error: load: No such run'; echo '  Generate it.' >&2; exit {code}").execute({})


def test_execute_reads_both_streams_to_the_end(monkeypatch) -> None:
    seen: list[str] = []
    monkeypatch.setattr("salesflow_runners.local.log_line", lambda log, output, line: seen.append(line))
    shell("i=0; while [ $i -lt 20000 ]; do echo out $i; echo err $i >&2; i=$((i+1)); done").execute({})
    assert len(seen) == 40_000
    assert seen[-1] == "err 19999"


# A program with a child process, like spark-submit; writes both process ids to a file.
FAMILY = 'sleep 600 & echo "$! $$" > "$1.new"; mv "$1.new" "$1"; wait'
IGNORES_SIGTERM = f"trap '' TERM; {FAMILY}; sleep 600"


@pytest.mark.parametrize("script", [FAMILY, IGNORES_SIGTERM], ids=["stops on SIGTERM", "ignores SIGTERM"])
def test_on_kill_terminates_the_process_group(tmp_path: Path, script: str) -> None:
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
    assert all(is_running(pid) for pid in family)
    started = time.monotonic()
    task.on_kill()
    thread.join(20)
    assert not thread.is_alive()
    wait_until_gone(family, 2)
    assert time.monotonic() - started < 5, "by then, Airflow would have killed the task process"
    assert isinstance(outcome[0], AirflowException)


def test_sigterm_to_the_task_process_terminates_the_stage(tmp_path: Path) -> None:
    """Like Airflow's task runner: on_kill runs in a signal handler while execute waits for output."""
    pids = tmp_path / "pids"
    task = shell(FAMILY, str(pids))
    before = signal.signal(signal.SIGTERM, lambda *_: task.on_kill())

    def terminate() -> None:
        wait_until(pids.exists)
        os.kill(os.getpid(), signal.SIGTERM)

    thread = threading.Thread(target=terminate)
    thread.start()
    try:
        with pytest.raises(AirflowException, match="terminated by signal 15"):
            task.execute({})
    finally:
        signal.signal(signal.SIGTERM, before)
        thread.join()
    wait_until_gone([int(pid) for pid in pids.read_text().split()])


def test_a_timeout_terminates_the_stage(tmp_path: Path) -> None:
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
    wait_until_gone([int(pid) for pid in pids.read_text().split()])


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's parent death signal")
def test_killing_the_task_process_terminates_the_stage(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    code = (
        "import sys; from salesflow_runners.local import ProcessOperator as P; "
        'P(task_id="load", command=["sh", "-c", sys.argv[1], "load"], arguments=[sys.argv[2]]).execute({})'
    )
    script = f"trap 'kill $!; exit 143' TERM; {FAMILY}"
    process = subprocess.Popen([sys.executable, "-c", code, script, str(pids)], cwd=DAGS)
    wait_until(pids.exists, 60)
    family = [int(pid) for pid in pids.read_text().split()]
    assert all(is_running(pid) for pid in family)
    process.kill()
    process.wait()
    try:
        wait_until_gone(family)
    finally:
        for pid in filter(is_running, family):
            os.kill(pid, signal.SIGKILL)


def test_spark_submits_with_the_options_of_the_settings() -> None:
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


def test_no_secret_is_in_dag_or_rendered_fields(read_dag, context) -> None:
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
