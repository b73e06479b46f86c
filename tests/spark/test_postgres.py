"""Connection URLs, page ranges, and connections that fail."""

from __future__ import annotations

import itertools
import os
import signal
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from errors import EXIT_TEMPFAIL, EXIT_USAGE, StageError, to_stage_error
from postgres import connect, page_ranges, parse_url, target_from_environment
from server import Server

SECRET = "hush-hush"


def test_parse_url_reads_all_parts() -> None:
    target = parse_url(f"postgresql://us%40er:{SECRET}%2F%3F@db.example:6432/a%20b%3F?connect_timeout=7")
    assert target.server == "db.example:6432/a b?"
    assert target.jdbc_url == "jdbc:postgresql://db.example:6432/a b%3F"
    assert target.properties["user"] == "us@er"
    assert target.properties["password"] == f"{SECRET}/?"
    assert target.properties["connectTimeout"] == "7"
    assert target.properties["sslmode"] == "disable"
    assert SECRET not in repr(target)


def test_parse_url_has_defaults() -> None:
    target = parse_url("postgres://someone@[::1]")
    assert (target.server, target.jdbc_url) == ("::1:5432/someone", "jdbc:postgresql://[::1]:5432/someone")


TLS = {
    "sslmode=require": {"sslmode": "require"},
    "sslmode=require&sslrootcert=/ca.pem": {"sslmode": "verify-ca", "sslrootcert": "/ca.pem"},
    "sslmode=verify-full&sslrootcert=/ca.pem": {"sslmode": "verify-full", "sslrootcert": "/ca.pem"},
    "sslmode=verify-full": {
        "sslmode": "verify-full",
        "sslfactory": "org.postgresql.ssl.DefaultJavaSSLFactory",
    },
}


@pytest.mark.parametrize("query", TLS)
def test_parse_url_encrypts_as_libpq_does(query: str) -> None:
    properties = parse_url(f"postgresql://user@host/db?{query}").properties
    assert {name: value for name, value in properties.items() if name.startswith("ssl")} == TLS[query]


INVALID_URLS = {
    f"mysql://user:{SECRET}@host/db": "is invalid",
    f"postgresql://user:{SECRET}@host:port/db": "is invalid",
    f"postgresql://:{SECRET}@host/db": "has no user",
    f"postgresql://user:{SECRET}@host/db?sslmode={SECRET}": "Cannot use sslmode in",
    f"postgresql://user:{SECRET}@host/db?connect_timeout={SECRET}": "connect_timeout",
    f"postgresql://shop:12?{SECRET}@db/shop": "an @ after its host",
    f"postgresql://user@db/shop?12%26{SECRET}=x": "Cannot use a parameter in",
    f"postgresql://user:{SECRET}@host/db?host=/run/postgresql": "socket",
    f"postgresql://user:{SECRET}@host/db?tcp=1&sslmode=x": "parameter tcp",
}


@pytest.mark.parametrize("url", INVALID_URLS)
def test_parse_url_rejects_without_showing_a_secret(url: str) -> None:
    with pytest.raises(StageError, match=INVALID_URLS[url]) as failure:
        parse_url(url)
    assert failure.value.exit_code == EXIT_USAGE
    assert SECRET not in failure.value.message


def test_target_from_environment_reads_a_file(tmp_path: Path) -> None:
    path = tmp_path / "url"
    path.write_text("postgresql://user:from-file@host/db\n")
    target = target_from_environment({"SALESFLOW_POSTGRES_URL_FILE": str(path)})
    assert target.properties["password"] == "from-file"


def test_target_from_environment_masks_a_url_in_place_of_a_file() -> None:
    with pytest.raises(StageError, match="URL_FILE=postgres://…:") as failure:
        target_from_environment({"SALESFLOW_POSTGRES_URL_FILE": f"postgres://u:{SECRET}@h/d"})
    assert SECRET not in failure.value.message


@pytest.mark.parametrize(("text", "seconds"), [("", 120), ("1", 1), ("86400", 86_400)])
def test_target_from_environment_reads_the_timeout(text: str, seconds: int) -> None:
    variables = {"SALESFLOW_POSTGRES_URL": "postgresql://u@h/d", "SALESFLOW_TIMEOUT_SECONDS": text}
    target = target_from_environment(variables)
    assert target.timeout_s == seconds
    assert target.properties["socketTimeout"] == str(seconds)


@pytest.mark.parametrize("text", ["0", "86401", "1.5", "-1", "two"])
def test_target_from_environment_rejects_an_invalid_timeout(text: str) -> None:
    variables = {"SALESFLOW_POSTGRES_URL": "postgresql://u@h/d", "SALESFLOW_TIMEOUT_SECONDS": text}
    with pytest.raises(StageError, match="SALESFLOW_TIMEOUT_SECONDS") as failure:
        target_from_environment(variables)
    assert failure.value.exit_code == EXIT_USAGE


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"SALESFLOW_POSTGRES_URL_FILE": "/does/not/exist"},
        {"SALESFLOW_POSTGRES_URL": "postgresql://u@h/d", "SALESFLOW_POSTGRES_URL_FILE": "/x"},
    ],
)
def test_target_from_environment_needs_one_url(environment: dict[str, str]) -> None:
    with pytest.raises(StageError) as failure:
        target_from_environment(environment)
    assert failure.value.exit_code == EXIT_USAGE


@pytest.mark.parametrize(
    ("pages", "ranges", "count"), [(0, 4, 1), (1, 4, 1), (3, 2, 2), (100, 7, 7), (7, 100, 7)]
)
def test_page_ranges_cover_every_page_once(pages: int, ranges: int, count: int) -> None:
    conditions = page_ranges(pages, ranges)
    assert len(conditions) == count
    bounds = [condition.split(" AND ") for condition in conditions]
    assert (bounds[0][0], bounds[-1][1]) == ("true", "true")
    for (_, end), (start, _) in itertools.pairwise(bounds):
        assert end.removeprefix("ctid < ") == start.removeprefix("ctid >= ")


def test_connection_times_out_when_the_server_does_not_respond(
    spark: SparkSession, server: Server, database: str
) -> None:
    with connect(spark, parse_url(server.url(database), timeout_s=1)) as connection:
        [(pid,)] = connection.query("SELECT pg_backend_pid()")
        os.kill(int(pid), signal.SIGSTOP)
        try:
            with pytest.raises(Exception, match="I/O error") as failure:
                connection.query("SELECT 1")
            assert to_stage_error(failure.value).exit_code == EXIT_TEMPFAIL
            assert not connection.is_alive()
        finally:
            os.kill(int(pid), signal.SIGCONT)


def test_connection_cancels_a_statement_that_takes_too_long(
    spark: SparkSession, server: Server, database: str
) -> None:
    with connect(spark, parse_url(server.url(database), timeout_s=1)) as connection:
        with pytest.raises(Exception, match="statement timeout") as failure:
            connection.query("SELECT pg_sleep(60)")
        assert to_stage_error(failure.value).exit_code == EXIT_TEMPFAIL
        # Adds two seconds.
        connection.set_statement_timeout(rows=40_000)
        assert connection.query("SELECT pg_sleep(1.6)")
