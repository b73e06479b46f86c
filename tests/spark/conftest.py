"""What the tests share: the job's modules, one Spark session, and a PostgreSQL server when one is needed."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import psycopg.sql
import pytest
from pyspark.sql import SparkSession

from jars import class_path, driver_jar
from postgres import Target, parse_url
from server import Server, running_server
from session import log_as_json, settings


@pytest.fixture(scope="session")
def postgres_jar() -> Path:
    """The JDBC driver's file."""
    return driver_jar()


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
        "spark.sql.shuffle.partitions": "2",
        "spark.driver.extraClassPath": class_path(),
        "spark.local.dir": str(tmp_path_factory.mktemp("spark")),
        "spark.sql.warehouse.dir": str(tmp_path_factory.mktemp("warehouse")),
    }
    for name, value in small.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    log_as_json(session)
    yield session
    session.stop()


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A PostgreSQL server for the whole run of the tests."""
    with running_server() as found:
        yield found


@pytest.fixture
def database(server: Server, request: pytest.FixtureRequest) -> Iterator[str]:
    """A database of the test's own, with the shop's tables."""
    name = f"test {uuid.uuid4().hex[:8]} %?"
    server.create(name)
    yield name
    with server.connect("postgres") as db:
        db.execute(psycopg.sql.SQL("DROP DATABASE {} WITH (FORCE)").format(psycopg.sql.Identifier(name)))


@pytest.fixture
def target(server: Server, database: str) -> Target:
    """The database as the job sees it."""
    return parse_url(server.url(database))


@pytest.fixture
def db(server: Server, database: str) -> Iterator[psycopg.Connection]:
    """The test's own connection to its database."""
    with server.connect(database) as connection:
        yield connection
