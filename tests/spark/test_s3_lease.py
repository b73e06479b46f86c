"""The lock of a run in a bucket."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

import s3_lease
from errors import EXIT_TEMPFAIL, StageError
from s3_server import bucket_folder, needs_s3_server
from server import WAIT_TIMEOUT_S
from store import Store
from stores import RUN_ID

LOCK = f"runs/{RUN_ID}/.lock-run"

pytestmark = needs_s3_server


def test_locked_holds_a_lease_that_excludes_others(spark: SparkSession, bucket: str, tmp_path: Path) -> None:
    first, second = Store(spark, bucket), Store(spark, bucket)
    path = bucket_folder(tmp_path) / LOCK
    with first.locked(LOCK):
        assert list(json.loads(path.read_text())) == ["owner", "renewed_at"]
        with (
            pytest.raises(StageError, match="Another salesflow command holds") as failure,
            second.locked(LOCK),
        ):
            pass
        assert failure.value.exit_code == EXIT_TEMPFAIL
        first.confirm_lock()
    assert not path.exists()
    with second.locked(LOCK):
        assert path.exists()
    assert not path.exists()


def test_locked_renews_its_lease_and_detects_its_loss(
    spark: SparkSession, bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3_lease, "RENEW_INTERVAL_S", 0.05)
    store = Store(spark, bucket)
    path = bucket_folder(tmp_path) / LOCK
    with store.locked(LOCK):
        before = path.read_text()
        wait_for(lambda: path.exists() and path.read_text() not in ("", before))
        store.confirm_lock()
        # A takeover by another process, which changes the ETag.
        store.write_text(LOCK, "another owner")
        wait_for(lambda: is_lost(store))
        with pytest.raises(StageError, match="was lost") as failure:
            store.confirm_lock()
        assert failure.value.exit_code == EXIT_TEMPFAIL
    # The lease of the other owner is not deleted.
    assert path.read_text() == "another owner"


def is_lost(store: Store) -> bool:
    """Reports whether the store's lock is lost."""
    try:
        store.confirm_lock()
    except StageError:
        return True
    return False


def wait_for(condition: Callable[[], bool]) -> None:
    """Waits until the condition holds."""
    deadline = time.monotonic() + WAIT_TIMEOUT_S
    while not condition():
        assert time.monotonic() < deadline, "timed out"
        time.sleep(0.02)


def test_locked_takes_over_an_expired_lease(spark: SparkSession, bucket: str, tmp_path: Path) -> None:
    store = Store(spark, bucket)
    # The lease of a killed command.
    store.write_text(LOCK, "{}")
    path = bucket_folder(tmp_path) / LOCK
    with pytest.raises(StageError, match="Another salesflow command holds") as failure, store.locked(LOCK):
        pass
    assert "expires after 60 seconds" in str(failure.value.remedy)
    long_ago = time.time() - 61
    os.utime(path, (long_ago, long_ago))
    with store.locked(LOCK):
        assert path.read_text() != "{}"
    assert not path.exists()
