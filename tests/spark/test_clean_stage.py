"""Stage clean: the same bytes regardless of the splits, and atomic publication."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

import clean_stage
import datasets
from cases import AS_OF, HEADER
from clean_stage import CleanOptions, clean, partition_keys
from errors import EXIT_TEMPFAIL, StageError
from store import Store
from stores import (
    REJECTED_HEADER,
    RUN_ID,
    is_nothing_published,
    parse_rejected,
    read_manifest,
    read_rows,
    write_raw,
)

ANY_SHARE = CleanOptions(max_rejected=1)
CLEAN_HEADER = f"{HEADER}\n".encode()


def dirty_parts(seed: int = 1) -> list[bytes]:
    """Returns parts with lines of every kind and length, repeated ids, and a part without rows."""
    rng = random.Random(seed)
    kinds = [
        "{id},11,22,3,2026-11-24,10.00,North\n",
        '"{id}", 12 ,22,3.0,24.11.2026,"1 234,50 ₽",Север\r\n',
        "{id},11,22,3,2026-11-24,10.00,South\n",
        "{id},11,22,3,2026-11-24,10.00\n",
        "{id},11,22,3,2026-11-24,10.00,Пятидесятница и ещё кое-что\n",
        "{id},\r,22,3,2026-11-24,10.00,North\n",
        "\n",
        "  \t\r\n",
    ]
    parts = []
    for _ in range(3):
        lines = [rng.choice(kinds).format(id=rng.randint(1, 300)) for _ in range(250)]
        lines.insert(rng.randrange(len(lines)), '"' * rng.randint(500, 5000) + "\n")
        parts.append(f"{HEADER}\n{''.join(lines)}".encode())
    return [*parts[:2], CLEAN_HEADER, parts[2].removesuffix(b"\n")]


def expected_rows(
    parts: list[bytes], on_conflict: str = "first"
) -> tuple[dict[int, bytes], list[tuple[str, int, str]]]:
    """Returns the clean rows by id, and file, line and reason of rejected rows, computed line by line."""
    clean_rows: dict[int, bytes] = {}
    lines: list[tuple[str, int, str | None, bytes]] = []
    for number, part in enumerate(parts):
        for line, text in enumerate(part.split(b"\n")[1:], start=2):
            file, reason, row = f"part-{number:05d}.csv", None, b""
            fields = text.removesuffix(b"\r").split(b",")
            if not text.strip(b" \t\r"):
                continue
            if fields[0].startswith(b'""'):
                reason = "malformed_row"
            elif fields[0].startswith(b'"'):
                row = fields[0].strip(b'"') + b",12,22,3,2026-11-24,1234.50,North"
            elif len(fields) != 7:
                reason = "malformed_row"
            elif fields[1] == b"\r":
                reason = "invalid_customer_id"
            elif fields[6] not in (b"North", b"South"):
                reason = "unknown_region"
            else:
                row = b",".join(fields)
            sale_id = int(row.split(b",")[0]) if not reason else 0
            if not reason and (on_conflict == "last" or sale_id not in clean_rows):
                clean_rows[sale_id] = row
            lines.append((file, line, reason, row))
    rejected = []
    for file, line, reason, row in lines:
        if not reason and clean_rows[int(row.split(b",")[0])] != row:
            reason = "conflicting_duplicate"
        if reason:
            rejected.append((file, line, reason))
    return clean_rows, rejected


@contextmanager
def configured(spark: SparkSession, **values: str) -> Iterator[None]:
    """Changes settings of the session during the block; `__` stands for a dot."""
    names = {name.replace("__", "."): value for name, value in values.items()}
    before = {name: spark.conf.get(name) for name in names}
    try:
        for name, value in names.items():
            spark.conf.set(name, value)
        yield
    finally:
        for name, value in before.items():
            spark.conf.set(name, value)


def all_bytes(run: Path) -> dict[str, bytes]:
    """Returns the content of every file of both datasets."""
    files = [path for dataset in ("clean", "rejected") for path in (run / dataset).iterdir()]
    return {str(path.relative_to(run)): path.read_bytes() for path in files}


@pytest.mark.parametrize(
    ("split_bytes", "on_conflict"),
    [(37, "first"), (211, "first"), (4_096, "first"), (1 << 20, "first"), (37, "last"), (4_096, "last")],
)
def test_clean_keeps_file_order_and_line_numbers_regardless_of_the_splits(
    spark: SparkSession, tmp_path: Path, split_bytes: int, on_conflict: str
) -> None:
    parts = dirty_parts()
    run = write_raw(tmp_path, parts, AS_OF, on_conflict=on_conflict)
    with configured(
        spark,
        spark__sql__files__maxPartitionBytes=f"{split_bytes}b",
        spark__sql__files__openCostInBytes="1b",
    ):
        clean(spark, Store(spark, str(tmp_path)), RUN_ID, ANY_SHARE)
    clean_rows, rejected = expected_rows(parts, on_conflict)
    found = [parse_rejected(line)[:3] for line in read_rows(run, "rejected", REJECTED_HEADER)]
    assert found == rejected
    assert sorted(read_rows(run, "clean", CLEAN_HEADER)) == sorted(clean_rows.values())


def test_clean_writes_the_same_bytes_regardless_of_the_settings(spark: SparkSession, tmp_path: Path) -> None:
    run = write_raw(tmp_path, dirty_parts(), AS_OF)
    store = Store(spark, str(tmp_path))
    clean(spark, store, RUN_ID, ANY_SHARE)
    first = all_bytes(run)
    assert set(first) == {"clean/manifest.json", "clean/part-00000.csv"} | {
        "rejected/manifest.json",
        "rejected/part-00000.csv",
    }
    clean(spark, store, RUN_ID, ANY_SHARE)
    assert all_bytes(run) == first
    with configured(
        spark,
        spark__sql__files__maxPartitionBytes="500b",
        spark__sql__shuffle__partitions="7",
        spark__sql__adaptive__enabled="false",
    ):
        clean(spark, store, RUN_ID, ANY_SHARE)
    assert all_bytes(run) == first


def test_clean_keeps_the_order_across_many_parts(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = dirty_parts(2)
    run = write_raw(tmp_path, parts, AS_OF)
    monkeypatch.setattr(clean_stage, "CLEAN_PART_BYTES", 2_000)
    monkeypatch.setattr(clean_stage, "REJECTED_PART_BYTES", 2_000)
    store = Store(spark, str(tmp_path))
    clean(spark, store, RUN_ID, ANY_SHARE)
    first = all_bytes(run)
    clean_rows, rejected = expected_rows(parts)
    assert len(read_manifest(run, "clean")["parts"]) > 5
    assert len(read_manifest(run, "rejected")["parts"]) > 5
    found = [parse_rejected(line)[:3] for line in read_rows(run, "rejected", REJECTED_HEADER)]
    assert found == rejected
    assert sorted(read_rows(run, "clean", CLEAN_HEADER)) == sorted(clean_rows.values())
    with configured(
        spark, spark__sql__files__maxPartitionBytes="333b", spark__sql__adaptive__enabled="false"
    ):
        clean(spark, store, RUN_ID, ANY_SHARE)
    assert all_bytes(run) == first


def test_clean_bounds_the_bytes_of_rejected_parts(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Quotes are doubled, and each invalid byte becomes three.
    lines = [f"{number},{letter * 60_000}\n".encode() for number, letter in enumerate('x"y' * 40)]
    parts = [
        CLEAN_HEADER + b"".join(lines[:70]) + b"\xff" * 60_000 + b"\n",
        CLEAN_HEADER + b"".join(lines[70:]),
    ]
    run = write_raw(tmp_path, parts, AS_OF)
    monkeypatch.setattr(clean_stage, "REJECTED_PART_BYTES", 1 << 20)
    # Some files are measured by tasks, others by the driver.
    monkeypatch.setattr(datasets, "MAX_BUFFERED_BYTES", 1_300_000)
    store = Store(spark, str(tmp_path))
    clean(spark, store, RUN_ID, ANY_SHARE)
    sizes = [part["bytes"] for part in read_manifest(run, "rejected")["parts"]]
    assert len(sizes) == 8
    assert min(sizes) < 1_300_000 < max(sizes) < 3 << 20
    rows = [parse_rejected(line) for line in read_rows(run, "rejected", REJECTED_HEADER)]
    assert len(rows) == 121
    assert b"".join(raw + b"\n" for _, _, _, raw in rows[:70]) == b"".join(lines[:70])
    assert rows[70][3] == "\ufffd".encode() * 60_000
    first = all_bytes(run)
    monkeypatch.setattr(datasets, "MAX_BUFFERED_BYTES", 0)
    clean(spark, store, RUN_ID, ANY_SHARE)
    assert all_bytes(run) == first


def test_clean_sizes_rejected_parts_by_bytes_not_by_lines(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # One row and many blank lines.
    run = write_raw(tmp_path, [CLEAN_HEADER + b"x\n" + b"\n" * 5_000], AS_OF)
    monkeypatch.setattr(clean_stage, "REJECTED_PART_BYTES", 4_096)
    clean(spark, Store(spark, str(tmp_path)), RUN_ID, ANY_SHARE)
    assert read_rows(run, "rejected", REJECTED_HEADER) == [b'part-00000.csv,2,malformed_row,"x"']


def test_clean_reads_a_store_whose_path_looks_like_a_glob_pattern(
    spark: SparkSession, tmp_path: Path
) -> None:
    home = tmp_path / "a b,[c]{d}*?%20é"
    run = write_raw(home, dirty_parts(), AS_OF)
    for url in (str(home), home.as_uri()):
        clean(spark, Store(spark, url), RUN_ID, ANY_SHARE)
        assert read_manifest(run, "clean")["rows"] > 0


def damage_raw(run: Path, fault: str) -> None:
    """Damages raw/ in one way."""
    part = run / "raw" / "part-00001.csv"
    manifest = run / "raw" / "manifest.json"
    content = part.read_bytes()
    if fault == "part missing":
        part.unlink()
    elif fault == "part too short":
        part.write_bytes(content[:-1])
    elif fault == "part changed":
        part.write_bytes(content.replace(b"10.00", b"10.01", 1))
    elif fault == "manifest missing":
        manifest.unlink()
    elif fault == "manifest not JSON":
        manifest.write_text("{")
    elif fault == "sum changed":
        manifest.write_text(manifest.read_text().replace('"rows": ', '"rows": 1', 1))
    elif fault == "part's rows changed":
        manifest.write_text(manifest.read_text().replace('      "rows": ', '      "rows": 1', 1))
    elif fault == "part outside":
        manifest.write_text(manifest.read_text().replace("part-00001.csv", "../part-00001.csv"))
    else:
        assert fault == "another day"
        (run / "run.json").write_text((run / "run.json").read_text().replace(AS_OF, "2026-11-17"))


FAULTS = {
    "part missing": "part-00001.csv is missing",
    "part too short": r"part-00001.csv holds \d+ bytes, the manifest says \d+ bytes",
    "part changed": "part-00001.csv was changed",
    "manifest missing": "There is no raw data of run test-run",
    "manifest not JSON": "Cannot parse",
    "sum changed": "is inconsistent",
    "part's rows changed": "is inconsistent",
    "part outside": "is inconsistent",
    "another day": "run.json in .* says as_of 2026-11-17, the manifest of raw/ says 2026-11-24",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_clean_keeps_earlier_datasets_when_raw_is_damaged(
    spark: SparkSession, tmp_path: Path, fault: str
) -> None:
    run = write_raw(tmp_path, dirty_parts(), AS_OF)
    store = Store(spark, str(tmp_path))
    clean(spark, store, RUN_ID, ANY_SHARE)
    before = all_bytes(run)
    damage_raw(run, fault)
    with pytest.raises(StageError, match=FAULTS[fault]) as failure:
        clean(spark, store, RUN_ID, ANY_SHARE)
    assert failure.value.exit_code == 1
    assert failure.value.remedy
    assert all_bytes(run) == before
    assert temporary_folders(run) == []


def temporary_folders(run: Path) -> list[str]:
    """Returns the names of the run's temporary folders."""
    return [path.name for path in run.iterdir() if path.is_dir() and path.name.startswith(".")]


def interrupt(*_: object) -> None:
    """Interrupts like a signal."""
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("step", "kept"),
    [("number_blocks", True), ("write_parts", True), ("move_parts", False), ("publish_dataset", False)],
)
def test_clean_leaves_complete_datasets_or_none_when_interrupted(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, kept: bool
) -> None:
    run = write_raw(tmp_path, dirty_parts(), AS_OF)
    store = Store(spark, str(tmp_path))
    clean(spark, store, RUN_ID, ANY_SHARE)
    before = all_bytes(run)
    with monkeypatch.context() as patch:
        patch.setattr(clean_stage, step, interrupt)
        with pytest.raises(KeyboardInterrupt):
            clean(spark, store, RUN_ID, ANY_SHARE)
    if kept:
        assert all_bytes(run) == before
    else:
        assert not (run / "clean" / "manifest.json").exists()
        assert not (run / "rejected" / "manifest.json").exists()
    assert temporary_folders(run) == []
    clean(spark, store, RUN_ID, ANY_SHARE)
    assert all_bytes(run) == before


def test_clean_removes_temporary_folders_of_killed_runs(spark: SparkSession, tmp_path: Path) -> None:
    run = write_raw(tmp_path, dirty_parts(), AS_OF)
    for name in (".spark-clean", ".spark-clean-0123456789ab"):
        (run / name / "clean").mkdir(parents=True)
        (run / name / "clean" / "part-00000").write_text("old")
    clean(spark, Store(spark, str(tmp_path)), RUN_ID, ANY_SHARE)
    assert temporary_folders(run) == []
    read_manifest(run, "clean")


@pytest.mark.parametrize("step", ["measure", "move_parts"])
def test_clean_exits_with_75_when_its_files_are_removed(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    run = write_raw(tmp_path, dirty_parts(), AS_OF)
    store = Store(spark, str(tmp_path))
    module = datasets if step == "measure" else clean_stage
    original = getattr(module, step)

    def remove_then_continue(*arguments: object) -> object:
        for name in temporary_folders(run):
            shutil.rmtree(run / name)
        return original(*arguments)

    monkeypatch.setattr(module, step, remove_then_continue)
    with pytest.raises(StageError) as failure:
        clean(spark, store, RUN_ID, ANY_SHARE)
    assert failure.value.exit_code == EXIT_TEMPFAIL
    assert is_nothing_published(run)


def test_clean_removes_the_files_of_another_engine(spark: SparkSession, tmp_path: Path) -> None:
    run = write_raw(tmp_path, dirty_parts(), AS_OF)
    for dataset in ("clean", "rejected"):
        (run / dataset).mkdir()
        (run / dataset / "part-00007.csv").write_text("old")
        (run / dataset / "manifest.json").write_text(json.dumps({"dataset": dataset}))
    clean(spark, Store(spark, str(tmp_path)), RUN_ID, ANY_SHARE)
    # read_manifest() fails for files that the manifest does not list.
    read_manifest(run, "clean")
    read_manifest(run, "rejected")


@pytest.mark.parametrize("partitions", [1, 2, 7, 40])
def test_partition_keys_map_to_each_partition(spark: SparkSession, partitions: int) -> None:
    keys = spark.createDataFrame([(key,) for key in partition_keys(spark, partitions)], "key long")
    placed = keys.repartition(partitions, "key").select("key", F.spark_partition_id().alias("partition"))
    by_key = {row["key"]: row["partition"] for row in placed.collect()}
    assert [by_key[key] for key in partition_keys(spark, partitions)] == list(range(partitions))
