"""What the tests share: the job's modules, one Spark session, and a PostgreSQL server when one is needed."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import psycopg.sql
import pytest
from pyspark.sql import SparkSession

from postgres import Target, parse_url
from server import Server, running_server
from session import log_as_json, settings

ROOT = Path(__file__).resolve().parents[2]
IVY = ROOT / ".cache" / "spark" / "ivy"


def postgres_package() -> str:
    """The JDBC driver of the images, whose version is written in k8s/jars/ivy.xml only."""
    declared = (ROOT / "k8s" / "jars" / "ivy.xml").read_text()
    found = re.search(r'org="(org\.postgresql)" name="(postgresql)" rev="([^"]+)"', declared)
    assert found
    return ":".join(found.groups())


@pytest.fixture(scope="session")
def postgres_jar(spark: SparkSession) -> Path:
    """The driver's file, which Spark has fetched; it must be the very file that the images hold."""
    _, name, version = postgres_package().split(":")
    [jar] = IVY.glob(f"jars/*_{name}-{version}.jar")
    sha256 = hashlib.sha256(jar.read_bytes()).hexdigest()
    assert f"{sha256}  {name}-{version}.jar" in (ROOT / "k8s" / "jars" / "jars.sha256").read_text()
    return jar


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
        "spark.jars.packages": postgres_package(),
        "spark.jars.ivy": str(IVY),
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
