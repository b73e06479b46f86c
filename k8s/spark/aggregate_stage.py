"""The stage aggregate: shop.sales to shop.sales_aggregates, read in parallel, published at once."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from decimal import Decimal
from pathlib import Path

from py4j.protocol import Py4JError
from pyspark.sql import DataFrame, SparkSession

from errors import REMEDY_TRY_AGAIN, TRY_AGAIN, StageError, explain
from postgres import (
    Connection,
    Target,
    connect,
    page_ranges,
    quote_text,
    read_properties,
    write_properties,
)
from result import StageResult
from transforms.aggregate import aggregate_cells, cells

SQL = Path(__file__).resolve().parent / "sql"
# Guards shop.sales_aggregates for both engines.
PUBLISH_LOCK = "salesflow:sales_aggregates"
# Guards the staging tables, which only this engine makes.
STAGING_LOCK = "salesflow:sales_aggregates:spark"
STAGING_PREFIX = "sales_aggregates_spark_"
# Bytes of the table that one task reads, and the most tasks there are.
READ_BYTES = 32 * 1024 * 1024
MOST_READS = 1_024
# Each writing task holds a connection.
WRITERS = 8
COLUMNS = {"region": "STRING", "product_id": "INT", "quantity": "INT", "sale_amount": "DECIMAL(14, 2)"}
REMEDY_TWICE = "Run aggregate again; nothing was published."
Sums = tuple[int, int, Decimal]


def aggregate(spark: SparkSession, target: Target, run_id: str) -> StageResult:
    """Runs the stage; no staging table is left, however it ends."""
    with connect(spark, target) as reader, connect(spark, target) as writer:
        writer.query(f"SELECT pg_advisory_lock(hashtextextended({quote_text(STAGING_LOCK)}, 0))")
        # The reader's transaction stays open to the end: the next load waits, other readers do not.
        with needed(reader, target), reader.transaction("ISOLATION LEVEL REPEATABLE READ READ ONLY"):
            snapshot, sales_rows = hold_loaded_run(reader, target, run_id)
            reader.allow(sales_rows)
            # There are never more aggregates than levels times sales.
            writer.allow(4 * sales_rows)
            expected = sums_of_sales(reader)
            with staging_table(writer) as staging:
                with counted_once(cells(read_sales(spark, reader, target, snapshot))) as finest:
                    write_rows(aggregate_cells(finest, run_id), target, staging)
                levels = check_levels(writer, staging, expected)
                with writer.transaction():
                    writer.query(
                        f"SELECT pg_advisory_xact_lock(hashtextextended({quote_text(PUBLISH_LOCK)}, 0))"
                    )
                    writer.execute(statement("publish_aggregates").format(staging=staging))
                    # Without it somebody may have loaded another run by now.
                    reader.query("SELECT 1")
    return StageResult(expected[0], sum(levels.values()), {"levels": levels})


@contextmanager
def needed(reader: Connection, target: Target) -> Iterator[None]:
    """Makes failures passing ones when the reader is lost: what tasks then say about its snapshot is not."""
    try:
        yield
    except Exception as error:
        if isinstance(error, StageError) or reader.is_alive():
            raise
        raise StageError(
            f"PostgreSQL at {target.server} ended the connection that kept shop.sales as it is: "
            f"{explain(error).message}",
            REMEDY_TRY_AGAIN,
            TRY_AGAIN,
        ) from error


@contextmanager
def counted_once(finest: DataFrame) -> Iterator[DataFrame]:
    """Keeps the counts and sums, so that the two places which use them do not each read shop.sales."""
    finest.persist()
    try:
        # Before both ask for them at the same time.
        finest.count()
        yield finest
    finally:
        finest.unpersist()


def statement(name: str) -> str:
    """The text of a file in sql/."""
    return (SQL / f"{name}.sql").read_text(encoding="utf-8")


def hold_loaded_run(reader: Connection, target: Target, run_id: str) -> tuple[str, int]:
    """Keeps shop.sales as it is until the transaction ends; exports a snapshot when it holds this run.

    Returns the snapshot's name, and how many rows the load has counted.
    """
    reader.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
    reader.execute("LOCK TABLE shop.sales IN ACCESS SHARE MODE")
    newest = reader.query("SELECT run_id, clean_rows FROM shop.pipeline_runs ORDER BY loaded_at DESC LIMIT 1")
    if not newest or newest[0][0] != run_id:
        found = f"the rows of run {newest[0][0]}" if newest else "no rows of any run"
        raise StageError(
            f"shop.sales in PostgreSQL at {target.server} holds {found}, not those of {run_id}",
            f'Run "salesflow load --run-id {run_id}" first.',
        )
    return str(reader.query("SELECT pg_export_snapshot()")[0][0]), int(newest[0][1] or 0)


def sums_of_sales(reader: Connection) -> Sums:
    """Rows, quantity and amount of shop.sales, counted by PostgreSQL itself."""
    [(rows, quantity, amount)] = reader.query(
        "SELECT count(*), coalesce(sum(quantity), 0), coalesce(sum(sale_amount), 0) FROM shop.sales"
    )
    return int(rows or 0), int(quantity or 0), Decimal(amount or 0)


def read_sales(spark: SparkSession, reader: Connection, target: Target, snapshot: str) -> DataFrame:
    """What is grouped and summed, read by ranges of pages, which are even whatever the ids are."""
    [(pages, page_bytes)] = reader.query(statement("sales_pages"))
    table_bytes = int(pages or 0) * int(page_bytes or 0)
    reads = max(spark.sparkContext.defaultParallelism, min(MOST_READS, -(-table_bytes // READ_BYTES)))
    return spark.read.jdbc(
        target.jdbc_url,
        "shop.sales",
        predicates=list(page_ranges(int(pages or 0), reads)),
        properties=read_properties(target, COLUMNS, snapshot),
    ).select(*COLUMNS)


@contextmanager
def staging_table(writer: Connection) -> Iterator[str]:
    """A table of its own for this run of the stage; what killed runs left behind is dropped first."""
    left = writer.query(
        "SELECT quote_ident(tablename) FROM pg_tables "
        "WHERE schemaname = 'shop' AND starts_with(tablename, ?)",
        STAGING_PREFIX,
    )
    for (name,) in left:
        writer.execute(f"DROP TABLE IF EXISTS shop.{name}")
    staging = f"{STAGING_PREFIX}{uuid.uuid4().hex[:12]}"
    writer.execute(f"CREATE UNLOGGED TABLE shop.{staging} (LIKE shop.sales_aggregates)")
    drop = f"DROP TABLE IF EXISTS shop.{staging}"
    try:
        yield staging
    except BaseException:
        # What failed first is the error to report; a table that stays is dropped by the next start.
        with suppress(Py4JError):
            writer.execute(drop)
        raise
    writer.execute(drop)


def write_rows(rows: DataFrame, target: Target, staging: str) -> None:
    """Appends the rows to the staging table; a task's rows arrive together or not at all.

    A task that is lost after its commit is repeated, and its rows arrive twice: `check_levels` notices.
    """
    rows.write.option("numPartitions", WRITERS).jdbc(
        target.jdbc_url, f"shop.{staging}", mode="append", properties=write_properties(target)
    )


def check_levels(writer: Connection, staging: str, expected: Sums) -> dict[str, int]:
    """Rows of each level; at every level the sums must be those of shop.sales."""
    levels = {}
    for level, rows, sales, quantity, amount in writer.query(
        statement("staged_levels").format(staging=staging)
    ):
        found = (int(sales or 0), int(quantity or 0), Decimal(amount or 0))
        if found != expected:
            raise StageError(
                f"The aggregates of level {level} sum up to {found}, shop.sales to {expected}",
                REMEDY_TWICE,
                TRY_AGAIN,
            )
        levels[str(level)] = int(rows or 0)
    if len(levels) != (4 if expected[0] else 0):
        raise StageError(f"Found aggregates of the levels {list(levels)} only", REMEDY_TWICE, TRY_AGAIN)
    return levels
