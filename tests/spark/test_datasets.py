"""Manifests, and the measuring of written files."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

import datasets
from datasets import (
    Manifest,
    Part,
    begin_dataset,
    measure,
    number_blocks,
    parse_manifest,
    parse_on_conflict,
    publish_dataset,
    verify_checksums,
    write_parts,
)
from errors import StageError
from store import Store
from stores import fingerprint, read_manifest

RUN_ID = "test-run"
CONTENT = b"header\n1\n2\n"
SHA256 = hashlib.sha256(CONTENT).hexdigest()
MANIFEST = Manifest(
    "raw",
    RUN_ID,
    "2026-11-24",
    (Part("part-00000.csv", 2, len(CONTENT), SHA256), Part("part-00001.csv", 3, 30, "f" * 64)),
    {"source": "ingested"},
)


@pytest.fixture
def store(spark: SparkSession, tmp_path: Path) -> Store:
    """A store in a new folder."""
    return Store(spark, tmp_path.as_uri())


def test_manifest_adds_up_its_parts_and_survives_a_round_trip() -> None:
    content = json.loads(MANIFEST.to_json())
    assert (content["rows"], content["bytes"]) == (5, len(CONTENT) + 30)
    assert content["fingerprint"] == fingerprint(content["parts"])
    assert parse_manifest(MANIFEST.to_json(), "manifest.json", "remedy") == MANIFEST


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"rows": 5', '"rows": 6', "is inconsistent"),
        ("part-00001.csv", "part-00000.csv", "is inconsistent"),
        ('"format": 1', '"format": 2', "is inconsistent"),
        ('"facts"', '"other"', "Cannot parse manifest.json: KeyError 'facts'"),
        ("{", "", "Cannot parse manifest.json: JSONDecodeError"),
    ],
)
def test_parse_manifest_rejects(old: str, new: str, message: str) -> None:
    text = MANIFEST.to_json().replace(old, new, 1)
    with pytest.raises(StageError, match=message) as failure:
        parse_manifest(text, "manifest.json", "Repair it.")
    assert failure.value.remedy == "Repair it."


def test_parse_on_conflict_returns_what_raw_says() -> None:
    def parse(facts: dict[str, object]) -> str:
        return parse_on_conflict(Manifest("raw", RUN_ID, "2026-11-24", (), facts))

    found = [parse({"on_conflict": "last"}), parse({"on_conflict": "first"}), parse({})]
    assert found == ["last", "first", "first"]
    with pytest.raises(StageError, match='of run test-run is "newest", not first or last') as failure:
        parse({"on_conflict": "newest"})
    assert failure.value.remedy == "Ingest the run again."


def test_verify_checksums_compares_every_part(store: Store, tmp_path: Path) -> None:
    manifest = Manifest("raw", RUN_ID, "2026-11-24", MANIFEST.parts[:1], {})
    path = tmp_path / "runs" / RUN_ID / "raw" / "part-00000.csv"
    path.parent.mkdir(parents=True)
    path.write_bytes(CONTENT)
    with verify_checksums(store, manifest):
        pass
    path.write_bytes(CONTENT.replace(b"2", b"3"))
    with (
        pytest.raises(StageError, match=f"was changed: its SHA-256 is .*, the manifest says {SHA256}"),
        verify_checksums(store, manifest),
    ):
        pass


def test_begin_dataset_removes_and_publish_dataset_writes(
    spark: SparkSession, store: Store, tmp_path: Path
) -> None:
    folder = tmp_path / "runs" / RUN_ID / "clean"
    folder.mkdir(parents=True)
    (folder / "part-00009.csv").write_text("old")
    begin_dataset(store, RUN_ID, "clean")
    assert not folder.exists()
    rows = spark.createDataFrame([("header\n1",)], "text string").coalesce(1)
    parts = write_parts(store, rows, "temporary", "header")
    datasets.move_parts(store, parts, "temporary", f"runs/{RUN_ID}/clean")
    publish_dataset(store, Manifest("clean", RUN_ID, "2026-11-24", tuple(parts.values()), {}))
    assert read_manifest(tmp_path / "runs" / RUN_ID, "clean")["rows"] == 1


def test_write_parts_writes_a_header_when_there_are_no_rows(spark: SparkSession, store: Store) -> None:
    rows = spark.createDataFrame([], "text string")
    [part] = write_parts(store, rows, "temporary", "header").values()
    assert part == Part("part-00000.csv", 0, 7, hashlib.sha256(b"header\n").hexdigest())


@pytest.mark.parametrize("limit", [0, 64 * 1024])
def test_measure_gives_the_same_by_tasks_and_by_the_driver(
    spark: SparkSession, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    monkeypatch.setattr(datasets, "MAX_BUFFERED_BYTES", limit)
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "a").write_bytes(CONTENT)
    (tmp_path / "files" / "_SUCCESS").write_bytes(b"")
    assert measure(spark, store, "files") == {"a": (2, len(CONTENT), SHA256)}


def test_number_blocks_places_splits_in_file_order() -> None:
    def count(part: int, block: int, lines: int, first_seq: int) -> dict[str, int]:
        return {"part": part, "block": block, "lines": lines, "first_seq": first_seq}

    counts = [count(1, 0, 4, 7), count(0, 50, 2, 90), count(0, 0, 3, 12), count(0, 0, 5, 10)]
    assert number_blocks(counts, MANIFEST) == [
        (0, 0, "part-00000.csv", 10, 0, 0),
        (0, 50, "part-00000.csv", 90, 0, 8),
        (1, 0, "part-00001.csv", 7, 10, 0),
    ]
