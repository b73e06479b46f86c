"""The stage clean: raw/ to clean/ and rejected/, published together or not at all."""

from __future__ import annotations

import math
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from pyspark import StorageLevel
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from datasets import (
    BLOCKS,
    Manifest,
    begin_dataset,
    folder_of,
    number_blocks,
    open_raw,
    place_parts,
    publish,
    read_lines,
    unchanged,
    write_parts,
)
from errors import FINAL, TRY_AGAIN, StageError, explain, is_missing_file
from record import read_as_of
from result import StageResult
from store import Store
from transforms import clean as rules

# Raw bytes for each clean part: small enough to sort in memory, big enough to be worth a file.
CLEAN_PART_BYTES = 32 * 1024 * 1024
# Raw bytes for each rejected part, which one task sorts; turned into lines of mean length.
REJECTED_PART_BYTES = 32 * 1024 * 1024
TEMPORARY_PREFIX = ".spark-clean"


@dataclass(frozen=True)
class CleanOptions:
    """What a person may choose."""

    # Largest rejected / rows_in that is published, 0 to 1.
    max_rejected: float = 0.1
    # Whether sale_date must lie in the year before the as-of date.
    date_range: bool = True


def clean(spark: SparkSession, store: Store, run_id: str, options: CleanOptions) -> StageResult:
    """Runs the stage; what was published before stays until the new datasets are ready to take its place."""
    with temporary_folder(store, run_id) as temporary:
        try:
            return clean_into(spark, store, run_id, options, temporary)
        except Exception as error:
            if is_missing_file(error):
                raise StageError(
                    f"Files that clean was at work on were removed: {explain(error).message}",
                    f"Run clean again when nothing else works on run {run_id}.",
                    TRY_AGAIN,
                ) from error
            raise


@contextmanager
def temporary_folder(store: Store, run_id: str) -> Iterator[str]:
    """A folder of its own for this run of the stage; what killed runs left behind is removed first."""
    for name in store.list(f"runs/{run_id}"):
        if name.startswith(TEMPORARY_PREFIX):
            store.remove(f"runs/{run_id}/{name}")
    folder = f"runs/{run_id}/{TEMPORARY_PREFIX}-{uuid.uuid4().hex[:12]}"
    try:
        yield folder
    except BaseException:
        # What failed first is the error to report; a folder that stays is removed by the next start.
        with suppress(Exception):
            store.remove(folder)
        raise
    store.remove(folder)


def clean_into(
    spark: SparkSession, store: Store, run_id: str, options: CleanOptions, temporary: str
) -> StageResult:
    """Judges the raw lines, writes both datasets by way of `temporary` and publishes them."""
    raw = open_raw(store, run_id, rules.HEADER)
    as_of = read_as_of(store, run_id, raw.as_of)
    if raw.rows == 0:
        raise StageError(f"raw/ of run {run_id} holds no rows", "Generate or ingest sales first.")
    accepted = rules.accepted_dates(as_of) if options.date_range else None
    partitions = max(1, math.ceil(raw.bytes / CLEAN_PART_BYTES))
    judged = rules.judge(read_lines(spark, store, raw), accepted, partitions)
    judged.persist(StorageLevel.MEMORY_AND_DISK)
    try:
        with unchanged(store, raw):
            outcomes = rules.count_outcomes(judged).collect()
            counts = count_rows(outcomes, raw)
            refuse_too_many(counts, options.max_rejected)
            rejected_rows = rejected_in_order(spark, judged, outcomes, raw)
            clean_rows = rules.with_header(rules.clean_rows(judged), rules.HEADER)
            rejected_parts = write_parts(store, rejected_rows, f"{temporary}/rejected", rules.REJECTED_HEADER)
            clean_parts = write_parts(store, clean_rows, f"{temporary}/clean", rules.HEADER)
    finally:
        judged.unpersist()
    rejected = Manifest(
        "rejected", run_id, str(as_of), tuple(rejected_parts.values()), {"raw": raw.fingerprint}
    )
    facts = {
        **counts,
        "date_from": str(accepted[0]) if accepted else None,
        "date_to": str(accepted[1]) if accepted else None,
        "raw": raw.fingerprint,
        "rejects": rejected.fingerprint,
    }
    cleaned = Manifest("clean", run_id, str(as_of), tuple(clean_parts.values()), facts)
    written = ("Run clean again; nothing was published.", TRY_AGAIN)
    expect("rejected rows written", rejected.rows, counts["rejected"], *written)
    expect("clean rows written", cleaned.rows, counts["rows_out"], *written)
    store.confirm_lock()
    begin_dataset(store, run_id, "clean")
    begin_dataset(store, run_id, "rejected")
    place_parts(store, rejected_parts, f"{temporary}/rejected", folder_of(run_id, "rejected"))
    place_parts(store, clean_parts, f"{temporary}/clean", folder_of(run_id, "clean"))
    store.confirm_lock()
    publish(store, rejected)
    publish(store, cleaned)
    return StageResult(counts["rows_in"], counts["rows_out"], facts)


def count_rows(outcomes: list, raw: Manifest) -> dict:
    """The counts of the manifest; every row must be in exactly one of them."""
    lines: dict[str, int] = {}
    for row in outcomes:
        lines[row["outcome"]] = lines.get(row["outcome"], 0) + row["lines"]
    # Each part's first line, which was seen to be the header, broke this rule.
    lines[rules.HEADER_OUTCOME] = lines.get(rules.HEADER_OUTCOME, 0) - len(raw.parts)
    by_reason = {reason: lines.get(reason, 0) for reason in rules.REASONS}
    rejected = sum(by_reason.values())
    rows_out, duplicates = lines.get(rules.CLEAN, 0), lines.get(rules.DUPLICATE, 0)
    expect("rows in raw/", rows_out + duplicates + rejected, raw.rows)
    return {
        "rows_in": raw.rows,
        "rows_out": rows_out,
        "duplicates": duplicates,
        "rejected": rejected,
        "rejected_by_reason": by_reason,
    }


def expect(
    what: str,
    found: int,
    expected: int,
    remedy: str = "Generate or ingest the run again.",
    exit_code: int = FINAL,
) -> None:
    """Nothing is dropped silently."""
    if found != expected:
        raise StageError(f"{what}: found {found}, expected {expected}", remedy, exit_code)


def refuse_too_many(counts: dict, max_rejected: float) -> None:
    """Fails when more rows are rejected than allowed."""
    rows_in, rejected = counts["rows_in"], counts["rejected"]
    if rejected / rows_in <= max_rejected:
        return
    reasons = sorted(counts["rejected_by_reason"].items(), key=lambda item: -item[1])
    listed = ", ".join(f"{reason} {count}" for reason, count in reasons[:3] if count > 0)
    raise StageError(
        f"{rejected} of {rows_in} rows are rejected, more than the share {max_rejected:g}: {listed}",
        "Look at the raw data, or allow more with --max-rejected.",
    )


def rejected_in_order(spark: SparkSession, judged: DataFrame, outcomes: list, raw: Manifest) -> DataFrame:
    """Rejected rows in file order, with headers; where a part ends depends on the raw lines alone."""
    blocks = spark.createDataFrame(number_blocks(outcomes, raw), BLOCKS)
    lines = sum(row["lines"] for row in outcomes)
    part_lines = max(1, REJECTED_PART_BYTES * lines // raw.bytes)
    partitions = math.ceil(lines / part_lines)
    keys = F.array(*[F.lit(key).cast("bigint") for key in partition_keys(spark, partitions)])
    partition = F.floor(F.col("position") / part_lines).cast("int")
    placed = rules.rejected_rows(judged, blocks).repartition(partitions, F.get(keys, partition))
    return rules.with_header(placed.sortWithinPartitions("position"), rules.REJECTED_HEADER)


def partition_keys(spark: SparkSession, partitions: int) -> list[int]:
    """For each partition a number (a bigint) that Spark's hash partitioning sends there."""
    numbers = spark.range(partitions * 64).select(
        "id", F.pmod(F.hash("id"), F.lit(partitions)).alias("partition")
    )
    found = {
        row["partition"]: row["id"]
        for row in numbers.groupBy("partition").agg(F.min("id").alias("id")).collect()
    }
    return [found[partition] for partition in range(partitions)]
