"""The records of a run."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from errors import StageError
from record import StageRecord, read_as_of
from store import Store

RUN_ID = "test-run"


@pytest.fixture
def store(spark: SparkSession, tmp_path: Path) -> Store:
    """A store in a new folder."""
    return Store(spark, tmp_path.as_uri())


def test_read_as_of_needs_run_and_manifest_to_agree(store: Store) -> None:
    assert read_as_of(store, RUN_ID, "2026-11-24") == date(2026, 11, 24)
    path = f"runs/{RUN_ID}/run.json"
    store.write_text(path, '{"as_of": "2026-11-24"}')
    assert read_as_of(store, RUN_ID, "2026-11-24") == date(2026, 11, 24)
    with pytest.raises(StageError, match="says as_of 2026-11-24, the manifest of raw/ says 2026-11-17"):
        read_as_of(store, RUN_ID, "2026-11-17")
    for text in ('{"as_of": "yesterday"}', "{}", "{"):
        store.write_text(path, text)
        with pytest.raises(StageError, match=f"Cannot read as_of of run {RUN_ID}"):
            read_as_of(store, RUN_ID, "2026-11-24")


def test_stage_record_keeps_the_latest_attempt(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "runs" / RUN_ID / "stages" / "clean.json"

    def read() -> dict:
        return json.loads(path.read_text())

    record = StageRecord(store, RUN_ID, "clean")
    assert (read()["status"], read()["attempt"], read()["finished_at"]) == ("running", 1, None)
    record.mark_failed(StageError("it broke", "Fix it.", 75))
    assert read()["status"] == "failed"
    assert read()["error"] == {"message": "it broke", "remedy": "Fix it.", "exit_code": 75}
    StageRecord(store, RUN_ID, "clean").mark_done(5, 4, {"duplicates": 1})
    assert (read()["status"], read()["attempt"], read()["error"]) == ("done", 2, None)
    assert (read()["rows_in"], read()["rows_out"], read()["facts"]) == (5, 4, {"duplicates": 1})
    path.write_text("{")
    StageRecord(store, RUN_ID, "clean")
    assert read()["attempt"] == 1
