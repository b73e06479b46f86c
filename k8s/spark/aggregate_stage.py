"""Stage aggregate: shop.sales to shop.sales_aggregates, read in parallel, published atomically."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from decimal import Decimal
from pathlib import Path

from py4j.protocol import Py4JError
from pyspark.sql import DataFrame, SparkSession

from errors import EXIT_TEMPFAIL, RETRY_REMEDY, StageError, to_stage_error
from postgres import (
    Connection,
    Target,
    connect,
    page_ranges,
    quote_literal,
    read_properties,
    write_properties,
)
from result import StageResult
from transforms.aggregate import aggregate_groups, group_by_region_product

SQL = Path(__file__).resolve().parent / "sql"
# Advisory lock on shop.sales_aggregates, shared with the native engine.
PUBLISH_LOCK = "salesflow:sales_aggregates"
# Advisory lock on the staging tables, which only this engine creates.
STAGING_LOCK = "salesflow:sales_aggregates:spark"
STAGING_PREFIX = "sales_aggregates_spark_"
# Bytes of the table per reading task, and the maximum number of tasks.
READ_TASK_BYTES = 32 * 1024 * 1024
MAX_READ_TASKS = 1_024
# Each writing task holds one connection.
WRITE_TASKS = 8
COLUMNS = {"region": "STRING", "product_id": "BIGINT", "quantity": "INT", "sale_amount": "DECIMAL(14, 2)"}
RERUN_REMEDY = "Run aggregate again. Nothing was published."
Sums = tuple[int, int, Decimal]


def aggregate(spark: SparkSession, target: Target, run_id: str) -> StageResult:
    """Runs the stage. Drops its staging table on success and on failure."""
    with connect(spark, target) as reader, connect(spark, target) as writer:
        writer.query(f"SELECT pg_advisory_lock(hashtextextended({quote_literal(STAGING_LOCK)}, 0))")
        # The reader's transaction stays open until the end: it blocks the next load, but no readers.
        with reader_required(reader, target), reader.transaction("ISOLATION LEVEL REPEATABLE READ READ ONLY"):
            snapshot, sales_rows = lock_loaded_run(reader, target, run_id)
            reader.set_statement_timeout(sales_rows)
            # There are at most levels × sales aggregates.
            writer.set_statement_timeout(4 * sales_rows)
            expected = sum_sales(reader)
            with staging_table(writer) as staging:
                with cached(group_by_region_product(read_sales(spark, reader, target, snapshot))) as groups:
                    write_rows(aggregate_groups(groups, run_id), target, staging)
                levels = check_levels(writer, staging, expected)
                with writer.transaction():
                    writer.query(
                        f"SELECT pg_advisory_xact_lock(hashtextextended({quote_literal(PUBLISH_LOCK)}, 0))"
                    )
                    writer.execute(read_sql("publish_aggregates").format(staging=staging))
                    # If the reader is lost, another run may have been loaded in the meantime.
                    reader.query("SELECT 1")
    return StageResult(expected[0], sum(levels.values()), {"levels": levels})


@contextmanager
def reader_required(reader: Connection, target: Target) -> Iterator[None]:
    """Makes any error temporary when the reader is lost: tasks only report that its snapshot is missing."""
    try:
        yield
    except Exception as error:
        if isinstance(error, StageError) or reader.is_alive():
            raise
        raise StageError(
            f"PostgreSQL at {target.server} closed the connection that holds the lock on shop.sales: "
            f"{to_stage_error(error).message}",
            RETRY_REMEDY,
            EXIT_TEMPFAIL,
        ) from error


@contextmanager
def cached(groups: DataFrame) -> Iterator[DataFrame]:
    """Caches the counts and sums, which are used twice, so that shop.sales is read once."""
    groups.persist()
    try:
        # Fills the cache before the two uses run in parallel.
        groups.count()
        yield groups
    finally:
        groups.unpersist()


def read_sql(name: str) -> str:
    """Returns the text of a file in sql/."""
    return (SQL / f"{name}.sql").read_text(encoding="utf-8")


def lock_loaded_run(reader: Connection, target: Target, run_id: str) -> tuple[str, int]:
    """Locks shop.sales against loads until the transaction ends, after checking that it contains this run.

    Returns the name of an exported snapshot, and the number of rows that the load has counted.
    """
    reader.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
    reader.execute("LOCK TABLE shop.sales IN ACCESS SHARE MODE")
    latest = reader.query("SELECT run_id, clean_rows FROM shop.pipeline_runs ORDER BY loaded_at DESC LIMIT 1")
    if not latest or latest[0][0] != run_id:
        found = f"the rows of run {latest[0][0]}" if latest else "no rows of any run"
        message = f"shop.sales in PostgreSQL at {target.server} holds {found}, not those of {run_id}"
        # The table held this run until another command loaded its own.
        if reader.query(f"SELECT 1 FROM shop.pipeline_runs WHERE run_id = {quote_literal(run_id)}"):
            raise StageError(
                f"{message}: another command published that run after this one was loaded",
                f"Run it again from load: salesflow run --from load --run-id {run_id}",
                EXIT_TEMPFAIL,
            )
        raise StageError(message, f'Run "salesflow load --run-id {run_id}" first.')
    return str(reader.query("SELECT pg_export_snapshot()")[0][0]), int(latest[0][1] or 0)


def sum_sales(reader: Connection) -> Sums:
    """Returns rows, quantity and amount of shop.sales, computed by PostgreSQL."""
    [(rows, quantity, amount)] = reader.query(
        "SELECT count(*), coalesce(sum(quantity), 0), coalesce(sum(sale_amount), 0) FROM shop.sales"
    )
    return int(rows or 0), int(quantity or 0), Decimal(amount or 0)


def read_sales(spark: SparkSession, reader: Connection, target: Target, snapshot: str) -> DataFrame:
    """Reads the columns to aggregate by ranges of pages, which are even regardless of the ids."""
    [(pages, page_bytes)] = reader.query(read_sql("sales_pages"))
    table_bytes = int(pages or 0) * int(page_bytes or 0)
    reads = max(
        spark.sparkContext.defaultParallelism, min(MAX_READ_TASKS, -(-table_bytes // READ_TASK_BYTES))
    )
    return spark.read.jdbc(
        target.jdbc_url,
        "shop.sales",
        predicates=list(page_ranges(int(pages or 0), reads)),
        properties=read_properties(target, COLUMNS, snapshot),
    ).select(*COLUMNS)


@contextmanager
def staging_table(writer: Connection) -> Iterator[str]:
    """Provides a staging table for this attempt, after dropping those that killed attempts left."""
    leftovers = writer.query(
        "SELECT quote_ident(tablename) FROM pg_tables "
        "WHERE schemaname = 'shop' AND starts_with(tablename, ?)",
        STAGING_PREFIX,
    )
    for (name,) in leftovers:
        writer.execute(f"DROP TABLE IF EXISTS shop.{name}")
    staging = f"{STAGING_PREFIX}{uuid.uuid4().hex[:12]}"
    writer.execute(f"CREATE UNLOGGED TABLE shop.{staging} (LIKE shop.sales_aggregates)")
    drop = f"DROP TABLE IF EXISTS shop.{staging}"
    try:
        yield staging
    except BaseException:
        # The first error is the one to report; a leftover table is dropped by the next attempt.
        with suppress(Py4JError):
            writer.execute(drop)
        raise
    writer.execute(drop)


def write_rows(rows: DataFrame, target: Target, staging: str) -> None:
    """Appends the rows to the staging table, in one transaction per task.

    If a task is lost after its commit, Spark repeats it and its rows are written twice, which `check_levels`
    detects.
    """
    rows.write.option("numPartitions", WRITE_TASKS).jdbc(
        target.jdbc_url, f"shop.{staging}", mode="append", properties=write_properties(target)
    )


def check_levels(writer: Connection, staging: str, expected: Sums) -> dict[str, int]:
    """Returns the rows of each level, after checking that each level's sums equal those of shop.sales."""
    levels = {}
    for level, rows, sales, quantity, amount in writer.query(
        read_sql("staged_levels").format(staging=staging)
    ):
        found = (int(sales or 0), int(quantity or 0), Decimal(amount or 0))
        if found != expected:
            raise StageError(
                f"The aggregates of level {level} add up to {found}, shop.sales to {expected}",
                RERUN_REMEDY,
                EXIT_TEMPFAIL,
            )
        levels[str(level)] = int(rows or 0)
    if len(levels) != (4 if expected[0] else 0):
        raise StageError(f"Found aggregates of levels {list(levels)} only", RERUN_REMEDY, EXIT_TEMPFAIL)
    return levels
