"""The DAG as Airflow parses it."""

from __future__ import annotations

import itertools
import json
import os
import re
import subprocess
from datetime import timedelta

import pytest

from conftest import KUBERNETES, ROOT

STAGES = ["migrate", "generate", "clean", "load", "aggregate", "transfer", "verify", "report"]
EXPORTS = {"SALESFLOW_SOURCE": "/inbox/shop.yaml"}
RUNNERS = pytest.mark.parametrize("settings", [{}, KUBERNETES], ids=["local", "kubernetes"])


def test_stages_are_those_of_the_binary() -> None:
    text = (ROOT / "lib/pipeline/stage.ts").read_text()
    declared = re.search(r"export const STAGES = \[(.*?)\]", text, re.DOTALL)
    assert declared is not None
    assert re.findall(r'"(\w+)"', declared[1]) == STAGES


@RUNNERS
def test_tasks_are_the_stages_in_sequence(read_dag, settings) -> None:
    dag = read_dag(settings)
    assert [task.task_id for task in dag.topological_sort()] == STAGES
    for before, after in itertools.pairwise(STAGES):
        assert dag.get_task(before).downstream_task_ids == {after}
    assert dag.get_task(STAGES[-1]).downstream_task_ids == set()


@RUNNERS
def test_dag_has_limits_callbacks_and_documentation(read_dag, settings) -> None:
    dag = read_dag(settings)
    assert dag.catchup is False
    assert dag.max_active_runs == 1
    assert dag.dagrun_timeout == timedelta(hours=24)
    assert dag.on_failure_callback.__name__ == "report_run_failure"
    assert set(dag.tags) == {"sales", "weekly"}
    assert dag.owner == "sales-data"
    assert "as_of" in dag.doc_md
    assert set(dag.params) == {"rows", "seed", "as_of"}


@RUNNERS
def test_tasks_have_exponential_backoff_and_a_timeout(read_dag, settings) -> None:
    dag = read_dag(settings)
    for task in dag.tasks:
        assert task.retries == 3, task.task_id
        assert task.retry_delay == timedelta(seconds=60)
        assert task.retry_exponential_backoff == 2.0
        assert task.max_retry_delay == timedelta(minutes=30)
        assert timedelta(0) < task.execution_timeout < dag.dagrun_timeout
        assert task.pool == "default_pool"
        assert task.do_xcom_push is False
        assert [callback.__name__ for callback in task.on_failure_callback] == ["report_task_failure"]


def test_settings_change_retries_and_pool(read_dag) -> None:
    dag = read_dag(
        {"SALESFLOW_TASK_RETRIES": "5", "SALESFLOW_RETRY_DELAY_SECONDS": "7", "SALESFLOW_POOL": "sales"}
    )
    for task in dag.tasks:
        assert (task.retries, task.retry_delay, task.pool) == (5, timedelta(seconds=7), "sales")


@RUNNERS
def test_with_a_source_file_ingest_takes_the_place_of_generate(read_dag, settings) -> None:
    dag = read_dag({**settings, **EXPORTS})
    stages = ["ingest" if stage == "generate" else stage for stage in STAGES]
    assert [task.task_id for task in dag.topological_sort()] == stages
    assert dag.get_task("migrate").downstream_task_ids == {"ingest"}
    assert dag.get_task("ingest").downstream_task_ids == {"clean"}
    assert set(dag.params) == {"as_of"}
    assert "`/inbox/shop.yaml`" in dag.doc_md
    assert "every 15 minutes for 10 hours; then the alert says so" in dag.doc_md
    assert "migrate → ingest → clean" in dag.doc_md


@RUNNERS
def test_ingest_waits_for_an_export_in_equal_steps(read_dag, settings) -> None:
    dag = read_dag({**settings, **EXPORTS})
    ingest = dag.get_task("ingest")
    assert (ingest.retries, ingest.retry_delay) == (40, timedelta(minutes=15))
    assert not ingest.retry_exponential_backoff
    assert dag.get_task("load").retries == 3


@pytest.mark.parametrize(
    ("hours", "seconds", "tries"), [("1", "3600", 3), ("20", "600", 120), ("1", "7000", 3), ("0", "60", 3)]
)
def test_the_deadline_of_an_export_can_be_set(read_dag, hours: str, seconds: str, tries: int) -> None:
    wait = {"SALESFLOW_EXPORT_WAIT_HOURS": hours, "SALESFLOW_EXPORT_RETRY_SECONDS": seconds}
    ingest = read_dag({**EXPORTS, **wait}).get_task("ingest")
    assert (ingest.retries, ingest.retry_delay) == (tries, timedelta(seconds=int(seconds)))


@RUNNERS
def test_parsing_twice_gives_the_same_dag(read_dag, settings) -> None:
    """Otherwise every parse would create a new version of the DAG in Airflow's database."""
    from airflow.serialization.serialized_objects import DagSerialization

    first = json.dumps(DagSerialization.to_dict(read_dag(settings)), sort_keys=True)
    second = json.dumps(DagSerialization.to_dict(read_dag(settings)), sort_keys=True)
    assert first == second


def import_errors(settings: dict[str, str]) -> list[dict[str, str]]:
    command = [
        "airflow",
        "dags",
        "list-import-errors",
        "--local",
        "--bundle-name",
        "dags-folder",
        "-o",
        "json",
    ]
    done = subprocess.run(
        command, env={**os.environ, **settings}, capture_output=True, text=True, timeout=120
    )
    errors = json.loads(done.stdout.strip().splitlines()[-1])
    assert done.returncode == (1 if errors else 0), done.stderr
    return errors


@pytest.fixture(scope="module")
def airflow_database() -> None:
    subprocess.run(["airflow", "db", "migrate"], check=True, capture_output=True, timeout=300)


@pytest.mark.usefixtures("airflow_database")
class TestImportErrors:
    @RUNNERS
    def test_there_are_none(self, settings) -> None:
        assert import_errors(settings) == []

    def test_invalid_settings_are_listed(self) -> None:
        errors = import_errors({"SALESFLOW_RUNNER": "mainframe", "SALESFLOW_TASK_RETRIES": "many"})
        assert len(errors) == 1
        text = re.sub(r"\s+", "", errors[0]["error"])
        assert "SALESFLOW_RUNNERmustbeoneoflocal,kubernetes" in text
        assert "SALESFLOW_TASK_RETRIESmustbeawholenumber" in text
