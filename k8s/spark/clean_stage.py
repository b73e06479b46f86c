"""Stage clean: raw/ to clean/ and rejected/, which are published together or not at all."""

from __future__ import annotations

import math
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from decimal import Decimal

from pyspark import StorageLevel
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from datasets import (
    BLOCKS_SCHEMA,
    Manifest,
    begin_dataset,
    dataset_folder,
    move_parts,
    number_blocks,
    open_raw,
    parse_on_conflict,
    publish_dataset,
    read_lines,
    verify_checksums,
    write_parts,
)
from errors import EXIT_FAILURE, EXIT_TEMPFAIL, StageError, is_missing_file, to_stage_error
from record import read_as_of
from result import StageResult
from store import Store
from transforms import clean as rules

# Raw bytes per clean part: small enough to sort in memory, large enough to keep files few.
CLEAN_PART_BYTES = 32 * 1024 * 1024
# Raw bytes per rejected part, which one task sorts; converted to a number of lines by their mean length.
REJECTED_PART_BYTES = 32 * 1024 * 1024
TEMPORARY_PREFIX = ".spark-clean"


@dataclass(frozen=True)
class CleanOptions:
    """Options of the stage."""

    # Maximum of rejected / rows_in, 0 to 1; above it, the stage fails and publishes nothing.
    max_rejected: float = 0.1
    # Whether to reject sales outside the year up to the as-of date.
    check_date_range: bool = True


def clean(spark: SparkSession, store: Store, run_id: str, options: CleanOptions) -> StageResult:
    """Runs the stage. Earlier datasets stay until the new ones are complete."""
    with temporary_folder(store, run_id) as temporary:
        try:
            return run_clean(spark, store, run_id, options, temporary)
        except Exception as error:
            if is_missing_file(error):
                raise StageError(
                    f"Files of clean were removed while it was running: {to_stage_error(error).message}",
                    f"Run clean again when no other command is using run {run_id}.",
                    EXIT_TEMPFAIL,
                ) from error
            raise


@contextmanager
def temporary_folder(store: Store, run_id: str) -> Iterator[str]:
    """Provides a temporary folder for this attempt, after removing those that killed attempts left."""
    for name in store.list(f"runs/{run_id}"):
        if name.startswith(TEMPORARY_PREFIX):
            store.remove(f"runs/{run_id}/{name}")
    folder = f"runs/{run_id}/{TEMPORARY_PREFIX}-{uuid.uuid4().hex[:12]}"
    try:
        yield folder
    except BaseException:
        # The first error is the one to report; a leftover folder is removed by the next attempt.
        with suppress(Exception):
            store.remove(folder)
        raise
    store.remove(folder)


def run_clean(
    spark: SparkSession, store: Store, run_id: str, options: CleanOptions, temporary: str
) -> StageResult:
    """Validates the raw lines, writes both datasets to `temporary` and publishes them."""
    raw = open_raw(store, run_id, rules.HEADER)
    as_of = read_as_of(store, run_id, raw.as_of)
    if raw.rows == 0:
        raise StageError(f"raw/ of run {run_id} holds no rows", "Generate or ingest sales first.")
    accepted = rules.accepted_dates(as_of) if options.check_date_range else None
    on_conflict = parse_on_conflict(raw)
    partitions = max(1, math.ceil(raw.bytes / CLEAN_PART_BYTES))
    validated = rules.validate(read_lines(spark, store, raw), accepted, partitions, on_conflict)
    validated.persist(StorageLevel.MEMORY_AND_DISK)
    try:
        with verify_checksums(store, raw):
            status_counts = rules.count_statuses(validated).collect()
            counts = count_rows(status_counts, raw)
            check_rejected_share(counts, options.max_rejected)
            rejected_rows = sort_rejected_rows(spark, validated, status_counts, raw)
            clean_rows = rules.with_header(rules.clean_rows(validated), rules.HEADER)
            rejected_parts = write_parts(store, rejected_rows, f"{temporary}/rejected", rules.REJECTED_HEADER)
            clean_parts = write_parts(store, clean_rows, f"{temporary}/clean", rules.HEADER)
    finally:
        validated.unpersist()
    rejected = Manifest(
        "rejected", run_id, str(as_of), tuple(rejected_parts.values()), {"raw": raw.fingerprint}
    )
    facts = {
        **counts,
        "date_from": str(accepted[0]) if accepted else None,
        "date_to": str(accepted[1]) if accepted else None,
        **({"on_conflict": on_conflict} if on_conflict == "last" else {}),
        "raw": raw.fingerprint,
        "rejects": rejected.fingerprint,
    }
    cleaned = Manifest("clean", run_id, str(as_of), tuple(clean_parts.values()), facts)
    rerun = ("Run clean again. Nothing was published.", EXIT_TEMPFAIL)
    verify_count("rejected rows written", rejected.rows, counts["rejected"], *rerun)
    verify_count("clean rows written", cleaned.rows, counts["rows_out"], *rerun)
    store.confirm_lock()
    begin_dataset(store, run_id, "clean")
    begin_dataset(store, run_id, "rejected")
    move_parts(store, rejected_parts, f"{temporary}/rejected", dataset_folder(run_id, "rejected"))
    move_parts(store, clean_parts, f"{temporary}/clean", dataset_folder(run_id, "clean"))
    store.confirm_lock()
    publish_dataset(store, rejected)
    publish_dataset(store, cleaned)
    return StageResult(counts["rows_in"], counts["rows_out"], facts)


def count_rows(status_counts: list, raw: Manifest) -> dict:
    """Returns the counts for the manifest, after checking that they add up to the raw rows."""
    lines: dict[str, int] = {}
    for row in status_counts:
        lines[row["status"]] = lines.get(row["status"], 0) + row["lines"]
    # The header line of each part was counted under this status.
    lines[rules.HEADER_STATUS] = lines.get(rules.HEADER_STATUS, 0) - len(raw.parts)
    by_reason = {reason: lines.get(reason, 0) for reason in rules.REASONS}
    rejected = sum(by_reason.values())
    rows_out, duplicates = lines.get(rules.CLEAN, 0), lines.get(rules.DUPLICATE, 0)
    verify_count("rows in raw/", rows_out + duplicates + rejected, raw.rows)
    return {
        "rows_in": raw.rows,
        "rows_out": rows_out,
        "duplicates": duplicates,
        "rejected": rejected,
        "rejected_by_reason": by_reason,
        "rejected_amounts": sum_amounts(status_counts),
    }


def sum_amounts(status_counts: list) -> dict:
    """Returns, for each reason, how many of its rows have a valid amount, and their sum as decimal text."""
    rows = dict.fromkeys(rules.REASONS, 0)
    sums = dict.fromkeys(rules.REASONS, Decimal("0.00"))
    for row in status_counts:
        if row["amount"] is not None:
            rows[row["status"]] += row["amounts"]
            sums[row["status"]] += row["amount"]
    return {reason: {"rows": rows[reason], "amount": str(sums[reason])} for reason in rules.REASONS}


def verify_count(
    name: str,
    found: int,
    expected: int,
    remedy: str = "Generate or ingest the run again.",
    exit_code: int = EXIT_FAILURE,
) -> None:
    """Fails when a count differs from the expected one, so that no row is lost silently."""
    if found != expected:
        raise StageError(f"{name}: found {found}, expected {expected}", remedy, exit_code)


def check_rejected_share(counts: dict, max_rejected: float) -> None:
    """Fails when more rows are rejected than max_rejected allows."""
    rows_in, rejected = counts["rows_in"], counts["rejected"]
    if rejected / rows_in <= max_rejected:
        return
    reasons = sorted(counts["rejected_by_reason"].items(), key=lambda item: -item[1])
    listed = ", ".join(f"{reason} {count}" for reason, count in reasons[:3] if count > 0)
    raise StageError(
        f"{rejected} of {rows_in} rows would be rejected, more than --max-rejected {max_rejected:g} allows: "
        f"{listed}",
        "Nothing was published. Fix the raw data, or raise --max-rejected.",
    )


def sort_rejected_rows(
    spark: SparkSession, validated: DataFrame, status_counts: list, raw: Manifest
) -> DataFrame:
    """Returns the rejected rows in file order with headers. Part boundaries depend only on the raw lines."""
    blocks = spark.createDataFrame(number_blocks(status_counts, raw), BLOCKS_SCHEMA)
    lines = sum(row["lines"] for row in status_counts)
    part_lines = max(1, REJECTED_PART_BYTES * lines // raw.bytes)
    partitions = math.ceil(lines / part_lines)
    keys = F.array(*[F.lit(key).cast("bigint") for key in partition_keys(spark, partitions)])
    partition = F.floor(F.col("position") / part_lines).cast("int")
    partitioned = rules.rejected_rows(validated, blocks).repartition(partitions, F.get(keys, partition))
    return rules.with_header(partitioned.sortWithinPartitions("position"), rules.REJECTED_HEADER)


def partition_keys(spark: SparkSession, partitions: int) -> list[int]:
    """Returns, for each partition, a bigint that Spark's hash partitioning assigns to it."""
    numbers = spark.range(partitions * 64).select(
        "id", F.pmod(F.hash("id"), F.lit(partitions)).alias("partition")
    )
    key_by_partition = {
        row["partition"]: row["id"]
        for row in numbers.groupBy("partition").agg(F.min("id").alias("id")).collect()
    }
    return [key_by_partition[partition] for partition in range(partitions)]
