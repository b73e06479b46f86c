"""What the tests share: the job's modules, one Spark session, and a PostgreSQL server when one is needed."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path[:0] = [str(ROOT / "k8s" / "spark"), str(HERE)]

from pyspark.sql import SparkSession  # noqa: E402
from session import log_as_json, settings  # noqa: E402


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    """A session on two threads with the job's own settings, and few partitions, because the data is small."""
    builder = SparkSession.builder.master("local[2]").appName("salesflow tests")
    for name, value in settings().items():
        builder = builder.config(name, value)
    small = {
        "spark.ui.enabled": "false",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.sql.shuffle.partitions": "4",
        "spark.local.dir": str(tmp_path_factory.mktemp("spark")),
        "spark.sql.warehouse.dir": str(tmp_path_factory.mktemp("warehouse")),
    }
    for name, value in small.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    log_as_json(session)
    yield session
    session.stop()
