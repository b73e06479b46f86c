"""Fixtures of the DAG's tests. Sets Airflow's settings before its first import."""

from __future__ import annotations

import atexit
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
DAGS = ROOT / "dags"

if "AIRFLOW_HOME" not in os.environ:
    os.environ["AIRFLOW_HOME"] = tempfile.mkdtemp(prefix="salesflow-airflow-")
    atexit.register(shutil.rmtree, os.environ["AIRFLOW_HOME"], ignore_errors=True)
os.environ.update(
    AIRFLOW__CORE__LOAD_EXAMPLES="False",
    AIRFLOW__CORE__DAGS_FOLDER=str(DAGS),
    AIRFLOW__LOGGING__LOGGING_LEVEL="WARNING",
)
for name in [name for name in os.environ if name.startswith("SALESFLOW_")]:
    if not name.startswith("SALESFLOW_TEST_"):
        del os.environ[name]
sys.path.append(str(DAGS))

ONE_NODE = {
    "podAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": [
            {
                "labelSelector": {"matchLabels": {"team": "sales"}},
                "topologyKey": "kubernetes.io/hostname",
            }
        ]
    }
}
KUBERNETES = {
    "SALESFLOW_RUNNER": "kubernetes",
    "SALESFLOW_STORE": "file:///data/sales",
    "SALESFLOW_K8S_STORE_CLAIM": "salesflow-store",
    "SALESFLOW_K8S_NAMESPACE": "shop",
    "SALESFLOW_K8S_IMAGE": "example.test/salesflow:1.0.0",
    "SALESFLOW_K8S_SECRETS": "salesflow-databases,salesflow-s3",
    "SALESFLOW_K8S_CONFIG_MAPS": "salesflow-options",
    "SALESFLOW_K8S_NODE_SELECTOR": '{"disk": "ssd"}',
    "SALESFLOW_K8S_TOLERATIONS": '[{"key": "batch", "operator": "Exists", "effect": "NoSchedule"}]',
    "SALESFLOW_K8S_RESOURCES": '{"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"memory": "3Gi"}}',
    "SALESFLOW_K8S_AFFINITY": json.dumps(ONE_NODE),
    "SALESFLOW_K8S_ANNOTATIONS": '{"owner": "sales"}',
    "SALESFLOW_K8S_PRIORITY_CLASS": "batch",
    "SALESFLOW_K8S_LABELS": '{"team": "sales"}',
    "SALESFLOW_K8S_IMAGE_PULL_SECRETS": "registry",
    "SALESFLOW_SPARK_IMAGE": "example.test/salesflow-spark:1.0.0",
    "SALESFLOW_SPARK_DRIVER": '{"cores": 1, "memory": "768m", "coreRequest": "250m"}',
    "SALESFLOW_SPARK_EXECUTOR": '{"cores": 2, "instances": 3, "memory": "1g"}',
    "SALESFLOW_SPARK_CONF": '{"spark.sql.shuffle.partitions": "8"}',
}
"""Settings of a full installation on Kubernetes."""


@pytest.fixture
def read_dag(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Parses the DAG file as Airflow does, with the given settings; import errors fail the test."""

    def read(settings: Mapping[str, str] | None = None) -> Any:
        from airflow.dag_processing.dagbag import BundleDagBag

        for name, value in (settings or {}).items():
            monkeypatch.setenv(name, value)
        bag = BundleDagBag(DAGS, bundle_path=DAGS, bundle_name="dags-folder")
        assert bag.import_errors == {}
        assert list(bag.dags) == ["sales_pipeline"]
        return bag.dags["sales_pipeline"]

    return read


@pytest.fixture
def context() -> Callable[..., dict[str, Any]]:
    """Returns a template context: a run that is due at a time, with parameters."""

    def make(
        task: Any,
        run_after: str = "2026-11-24T09:45:00+00:00",
        map_index: int = -1,
        logical_date: str | None = None,
        **params: Any,
    ) -> dict:
        defaults = task.dag.params.dump() if task else {}
        run_id = f"manual__{run_after}"
        ti = SimpleNamespace(
            dag_id="sales_pipeline",
            task_id=task.task_id if task else "none",
            map_index=map_index,
            try_number=1,
            run_id=run_id,
        )
        return {
            "dag": task.dag if task else None,
            "task": task,
            "ti": ti,
            "run_id": run_id,
            "dag_run": SimpleNamespace(
                logical_date=datetime.fromisoformat(logical_date) if logical_date else None,
                run_after=datetime.fromisoformat(run_after),
            ),
            "params": {**defaults, **params},
        }

    return make
