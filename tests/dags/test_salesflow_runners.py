"""The selection of the runner, and what importing it loads."""

from __future__ import annotations

import os
import subprocess
import sys

from conftest import DAGS, KUBERNETES
from salesflow_runners import open_runner
from salesflow_runners.settings import Settings


def test_open_runner_selects_by_the_settings() -> None:
    assert type(open_runner(Settings.from_environment({}))).__name__ == "LocalRunner"
    assert type(open_runner(Settings.from_environment(KUBERNETES))).__name__ == "KubernetesRunner"


def modules_after_import(settings: dict[str, str]) -> set[str]:
    """Returns the modules that are loaded after importing the DAG."""
    code = "import sys, sales_pipeline; print('\\n'.join(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=DAGS,
        env={**os.environ, **settings, "PYTHONPATH": str(DAGS), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.split())


def test_open_runner_loads_no_heavy_module_for_the_local_runner() -> None:
    loaded = modules_after_import({})
    assert "salesflow_runners.local" in loaded
    heavy = {
        "kubernetes",
        "pyspark",
        "pandas",
        "psycopg2",
        "salesflow_runners.kubernetes",
        "airflow.providers.cncf.kubernetes.operators",
    }
    assert loaded & heavy == set()


def test_open_runner_loads_no_engine_and_no_database_driver_for_kubernetes() -> None:
    loaded = modules_after_import(KUBERNETES)
    assert "salesflow_runners.kubernetes" in loaded
    assert loaded & {"pyspark", "pandas", "psycopg2", "salesflow_runners.local"} == set()
