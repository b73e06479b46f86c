"""Addresses, page ranges, partition keys and errors: what needs no data."""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Callable
from pathlib import Path

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from clean_stage import partition_keys
from errors import TRY_AGAIN, USAGE, StageError, explain
from job import parse, work_of
from mask import mask_url
from postgres import Target, page_ranges, parse_url, target_from_environment
from store import hadoop_root

SECRET = "hush-hush"
ROOTS = {
    "file:///data/shop": "file:///data/shop",
    "file:///data/shop/": "file:///data/shop",
    "file:///data/a%20b%25": "file:///data/a b%",
    "file://localhost/data": "file:///data",
    "/data/shop": "file:///data/shop",
    "s3://bucket": "s3a://bucket",
    "s3://bucket/": "s3a://bucket",
    "s3://bucket/some/prefix/": "s3a://bucket/some/prefix",
    "s3a://bucket/prefix": "s3a://bucket/prefix",
}


@pytest.mark.parametrize("url", ROOTS)
def test_hadoop_root_understands(url: str) -> None:
    assert hadoop_root(url) == ROOTS[url]


WRONG_ROOTS = [
    "data",
    "./data",
    "http://host/x",
    "file://host/x",
    "file:x",
    "s3://",
    "s3:bucket",
    "s3://b?x=1",
    "s3://bucket/a#b",
    "s3://Bucket",
    "S3://bucket",
    "file:///a?b",
]
# What a password may be followed or preceded by where people paste it without percent-encoding.
PIECES = [
    "",
    "12",
    "/",
    "?",
    "#",
    "@",
    ":",
    "&",
    "=",
    "%zz",
    "\\",
    " ",
    "[",
    "é",
    "?sslmode=",
    "?a=",
    "12?host=",
]
STARTS = [
    "postgres://",
    "postgresql://",
    "s3://",
    "s3a://",
    "S3://",
    "https://",
    "file://",
    "http//",
    "s3:",
    "",
]
RESTS = ["@host", "@host/shop", "@bucket/p", "@host:1/default", "@", "@[::1]/x?a=b"]


@pytest.mark.parametrize("url", [*WRONG_ROOTS, f"s3://key:{SECRET}@bucket/x", f"ftp://user:{SECRET}@host/"])
def test_hadoop_root_refuses_without_showing_a_secret(url: str) -> None:
    with pytest.raises(StageError) as failure:
        hadoop_root(url)
    assert failure.value.exit_code == USAGE
    assert SECRET not in failure.value.message


def said_by(read: Callable[[str], object], url: str) -> str:
    """What a person sees of a URL: the error, or the name of what was taken."""
    try:
        taken = read(url)
    except StageError as error:
        return f"{error.message} {error.remedy} {error.__cause__}"
    return taken.server if isinstance(taken, Target) else str(taken)


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("read", [parse_url, hadoop_root], ids=["parse_url", "hadoop_root"])
def test_no_address_shows_a_password_wherever_it_ends_up(read: Callable[[str], object], start: str) -> None:
    for user, before, after, rest in itertools.product(["shop:", "me@h:"], PIECES, PIECES, RESTS):
        url = f"{start}{user}{before}{SECRET}{after}{rest}"
        assert SECRET not in said_by(read, url), url


def test_target_from_environment_shows_no_url_in_place_of_a_file() -> None:
    with pytest.raises(StageError, match="URL_FILE=postgres://…:") as failure:
        target_from_environment({"SALESFLOW_POSTGRES_URL_FILE": f"postgres://u:{SECRET}@h/d"})
    assert SECRET not in failure.value.message


MASKED = {
    "gs://bucket/prefix": "gs://bucket/prefix",
    "data/2026": "data/2026",
    "50%": "50%",
    "https://key:pw@minio/b": "https://…",
    "s3://bucket?secret=pw": "s3://…",
    "http//key:pw@minio": "…",
}


@pytest.mark.parametrize("text", MASKED)
def test_mask_url_shows(text: str) -> None:
    assert mask_url(text) == MASKED[text]


def test_parse_url_takes_a_url_apart() -> None:
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


WRONG_URLS = {
    f"mysql://user:{SECRET}@host/db": "cannot be understood",
    f"postgresql://user:{SECRET}@host:port/db": "cannot be understood",
    f"postgresql://:{SECRET}@host/db": "names no user",
    f"postgresql://user:{SECRET}@host/db?sslmode={SECRET}": "Cannot use sslmode in",
    f"postgresql://user:{SECRET}@host/db?connect_timeout={SECRET}": "connect_timeout",
    f"postgresql://shop:12?{SECRET}@db/shop": "an @ behind its host",
    f"postgresql://user@db/shop?12%26{SECRET}=x": "Cannot use a parameter in",
    f"postgresql://user:{SECRET}@host/db?host=/run/postgresql": "socket",
    f"postgresql://user:{SECRET}@host/db?tcp=1&sslmode=x": "parameter tcp",
}


@pytest.mark.parametrize("url", WRONG_URLS)
def test_parse_url_refuses_without_showing_a_secret(url: str) -> None:
    with pytest.raises(StageError, match=WRONG_URLS[url]) as failure:
        parse_url(url)
    assert failure.value.exit_code == USAGE
    assert SECRET not in failure.value.message


def test_target_from_environment_reads_a_file(tmp_path: Path) -> None:
    path = tmp_path / "url"
    path.write_text("postgresql://user:from-file@host/db\n")
    target = target_from_environment({"SALESFLOW_POSTGRES_URL_FILE": str(path)})
    assert target.properties["password"] == "from-file"


@pytest.mark.parametrize(("text", "seconds"), [("", 120), ("1", 1), ("86400", 86_400)])
def test_target_from_environment_reads_the_timeout(text: str, seconds: int) -> None:
    variables = {"SALESFLOW_POSTGRES_URL": "postgresql://u@h/d", "SALESFLOW_TIMEOUT_SECONDS": text}
    target = target_from_environment(variables)
    assert target.timeout_s == seconds
    assert target.properties["socketTimeout"] == str(seconds)


@pytest.mark.parametrize("text", ["0", "86401", "1.5", "-1", "two"])
def test_target_from_environment_refuses_a_timeout(text: str) -> None:
    variables = {"SALESFLOW_POSTGRES_URL": "postgresql://u@h/d", "SALESFLOW_TIMEOUT_SECONDS": text}
    with pytest.raises(StageError, match="SALESFLOW_TIMEOUT_SECONDS") as failure:
        target_from_environment(variables)
    assert failure.value.exit_code == USAGE


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"SALESFLOW_POSTGRES_URL_FILE": "/does/not/exist"},
        {"SALESFLOW_POSTGRES_URL": "postgresql://u@h/d", "SALESFLOW_POSTGRES_URL_FILE": "/x"},
    ],
)
def test_target_from_environment_refuses(environment: dict[str, str]) -> None:
    with pytest.raises(StageError) as failure:
        target_from_environment(environment)
    assert failure.value.exit_code == USAGE


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


@pytest.mark.parametrize("partitions", [1, 2, 7, 40])
def test_partition_keys_lead_to_each_partition(spark: SparkSession, partitions: int) -> None:
    keys = spark.createDataFrame([(key,) for key in partition_keys(spark, partitions)], "key long")
    placed = keys.repartition(partitions, "key").select("key", F.spark_partition_id().alias("at"))
    by_key = {row["key"]: row["at"] for row in placed.collect()}
    assert [by_key[key] for key in partition_keys(spark, partitions)] == list(range(partitions))


WRONG_ARGUMENTS = [
    [],
    ["clean"],
    ["clean", "--store", "/x"],
    ["load", "--store", "/x", "--run-id", "a"],
    ["clean", "--store", "/x", "--run-id", "../a"],
    ["clean", "--store", "/x", "--run-id", "a..b"],
    ["clean", "--store", "/x", "--run-id", "A"],
    ["clean", "--store", "/x", "--run-id", "a", "--max-rejected", "1.5"],
    ["clean", "--store", "/x", "--run-id", "a", "--max-rejected", "nan"],
    ["aggregate", "--store", "/x", "--run-id", "a", "--no-date-range"],
]


@pytest.fixture
def no_variables(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """No setting comes from outside of the test."""
    for name in ("STORE", "RUN_ID", "MAX_REJECTED", "NO_DATE_RANGE", "POSTGRES_URL", "POSTGRES_URL_FILE"):
        monkeypatch.delenv(f"SALESFLOW_{name}", raising=False)
    return monkeypatch


@pytest.mark.usefixtures("no_variables")
@pytest.mark.parametrize("arguments", WRONG_ARGUMENTS, ids=" ".join)
def test_parse_refuses(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as end:
        parse(arguments)
    assert end.value.code == USAGE


@pytest.mark.usefixtures("no_variables")
def test_parse_reads_flags() -> None:
    line = ["clean", "--store", "/x", "--run-id", "2026-11-24", "--max-rejected", "0.25", "--no-date-range"]
    assert parse(line) == argparse.Namespace(
        stage="clean", store="/x", run_id="2026-11-24", max_rejected=0.25, no_date_range=True
    )
    assert parse(line[:5]).max_rejected == 0.1
    assert parse(line[:5]).no_date_range is False


def test_parse_reads_variables_where_flags_are_missing(no_variables: pytest.MonkeyPatch) -> None:
    for name, value in {"STORE": "/y", "RUN_ID": "b", "MAX_REJECTED": "0.5", "NO_DATE_RANGE": "true"}.items():
        no_variables.setenv(f"SALESFLOW_{name}", value)
    options = parse(["clean", "--store", "/x"])
    assert (options.store, options.run_id, options.max_rejected) == ("/x", "b", 0.5)
    assert options.no_date_range is True
    no_variables.setenv("SALESFLOW_NO_DATE_RANGE", "false")
    assert parse(["clean"]).no_date_range is False
    no_variables.setenv("SALESFLOW_MAX_REJECTED", "many")
    with pytest.raises(SystemExit):
        parse(["clean"])


@pytest.mark.usefixtures("no_variables")
def test_work_of_looks_at_the_configuration_first() -> None:
    for line in (["clean", "--store", "ftp://x"], ["aggregate", "--store", "/x"]):
        with pytest.raises(StageError) as failure:
            work_of(parse([*line, "--run-id", "a"]))
        assert failure.value.exit_code == USAGE


def test_explain_keeps_what_is_known_and_takes_the_unknown_for_final() -> None:
    known = StageError("it is so", "do this", 75)
    assert explain(known) is known
    unknown = explain(ZeroDivisionError("division by zero"))
    assert (unknown.message, unknown.exit_code) == ("division by zero", 1)


@pytest.mark.parametrize(
    "error", [KeyboardInterrupt(), RuntimeError("Cannot call methods on a stopped SparkContext.")]
)
def test_explain_knows_what_passes(error: BaseException) -> None:
    assert explain(error).exit_code == TRY_AGAIN
