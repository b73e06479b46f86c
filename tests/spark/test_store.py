"""URLs of stores, and files of a store in a folder."""

from __future__ import annotations

import fcntl
import hashlib
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from errors import EXIT_TEMPFAIL, EXIT_USAGE, StageError
from store import Store, hadoop_root

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
INVALID_ROOTS = [
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
    f"s3://key:{SECRET}@bucket/x",
    f"ftp://user:{SECRET}@host/",
]


@pytest.mark.parametrize("url", ROOTS)
def test_hadoop_root_converts(url: str) -> None:
    assert hadoop_root(url) == ROOTS[url]


@pytest.mark.parametrize("url", INVALID_ROOTS)
def test_hadoop_root_rejects_without_showing_a_secret(url: str) -> None:
    with pytest.raises(StageError) as failure:
        hadoop_root(url)
    assert failure.value.exit_code == EXIT_USAGE
    assert SECRET not in failure.value.message


@pytest.fixture
def store(spark: SparkSession, tmp_path: Path) -> Store:
    """A store in a new folder."""
    return Store(spark, tmp_path.as_uri())


def test_store_reads_what_it_wrote(store: Store, tmp_path: Path) -> None:
    store.write_text("runs/a/run.json", "old")
    store.write_text("runs/a/run.json", "Север\n")
    assert (tmp_path / "runs/a/run.json").read_text(encoding="utf-8") == "Север\n"
    assert store.read_text("runs/a/run.json") == "Север\n"
    assert store.size("runs/a/run.json") == 11
    assert store.head("runs/a/run.json", 4) == "Се".encode()
    assert store.sha256("runs/a/run.json") == hashlib.sha256("Север\n".encode()).hexdigest()
    # No temporary file and no checksum file of Hadoop.
    assert store.list("runs/a") == {"run.json": 11}


def test_store_reports_missing_files(store: Store) -> None:
    assert not store.exists("runs")
    assert store.size("runs") is None
    assert store.read_text("runs/a/run.json") is None
    assert store.list("runs") == {}
    store.remove("runs")


def test_store_renames_and_removes(store: Store, tmp_path: Path) -> None:
    store.write_text("from/part-0", "x")
    store.rename("from/part-0", "to/part-1")
    assert store.list("from") == {}
    assert store.list("to") == {"part-1": 1}
    store.remove("to")
    assert [path.name for path in tmp_path.iterdir()] == ["from"]


def test_glob_path_escapes_patterns(store: Store, tmp_path: Path) -> None:
    assert store.glob_path("a[b]{c}*?") == f"file://{tmp_path}/a\\[b\\]\\{{c\\}}\\*\\?"


def test_locked_fails_at_once_when_another_process_holds_the_lock(store: Store, tmp_path: Path) -> None:
    with (tmp_path / ".lock-run").open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(StageError, match="Another salesflow command holds") as failure:  # noqa: SIM117
            with store.locked(".lock-run"):
                pass
    assert failure.value.exit_code == EXIT_TEMPFAIL
    with store.locked(".lock-run"):
        store.confirm_lock()
