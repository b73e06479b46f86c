"""Fixtures: one Spark session for all tests, a PostgreSQL server and an S3 service on demand."""

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
from s3_server import BUCKET, KEYS, PREFIX, running_s3_server
from server import Server, running_server
from session import configure_json_logging, spark_settings


@pytest.fixture(scope="session")
def postgres_jar() -> Path:
    """Path of the JDBC driver."""
    return driver_jar()


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    """A session on two threads with the job's settings, and few partitions, because the data is small."""
    builder = SparkSession.builder.master("local[2]").appName("salesflow tests")
    for name, value in spark_settings().items():
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
    configure_json_logging(session)
    yield session
    session.stop()


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A PostgreSQL server, shared by all tests."""
    with running_server() as running:
        yield running


@pytest.fixture
def database(server: Server, request: pytest.FixtureRequest) -> Iterator[str]:
    """A new database with the shop's tables, dropped after the test."""
    name = f"test {uuid.uuid4().hex[:8]} %?"
    server.create(name)
    yield name
    with server.connect("postgres") as db:
        db.execute(psycopg.sql.SQL("DROP DATABASE {} WITH (FORCE)").format(psycopg.sql.Identifier(name)))


@pytest.fixture
def target(server: Server, database: str) -> Target:
    """The job's target for the database."""
    return parse_url(server.url(database))


@pytest.fixture
def db(server: Server, database: str) -> Iterator[psycopg.Connection]:
    """The test's own connection to the database."""
    with server.connect(database) as connection:
        yield connection


@pytest.fixture
def endpoint(tmp_path: Path) -> Iterator[str]:
    """URL of a new S3 service with an empty bucket, whose objects are in `bucket_folder(tmp_path)`."""
    with running_s3_server(tmp_path) as url:
        yield url


@pytest.fixture
def bucket(spark: SparkSession, endpoint: str) -> Iterator[str]:
    """URL of a store in the bucket, for which the session of the tests is configured."""
    configuration = spark.sparkContext._jsc.hadoopConfiguration()
    values = {
        "endpoint": endpoint,
        "endpoint.region": KEYS["AWS_REGION"],
        "path.style.access": "true",
        "access.key": KEYS["AWS_ACCESS_KEY_ID"],
        "secret.key": KEYS["AWS_SECRET_ACCESS_KEY"],
    }
    for name, value in values.items():
        configuration.set(f"fs.s3a.{name}", value)
    root = spark.sparkContext._jvm.org.apache.hadoop.fs.Path(f"s3a://{BUCKET}/")
    yield f"s3://{BUCKET}/{PREFIX}"
    # The service of the next test has another port.
    root.getFileSystem(configuration).close()
