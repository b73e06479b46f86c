"""aggregate on a real PostgreSQL: cases, an independent recount, publication, failures."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator

import psycopg
import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

import aggregate_stage
from aggregate_stage import aggregate
from cases import files, read
from errors import TRY_AGAIN, StageError
from postgres import Target, connect
from recount import Sale, recount
from server import PATIENCE_S, Server
from shop import RUN_ID, other_tables, put_sales, read_aggregates

CASES = [case for path in files("aggregate") for case in read(path)]
STATE = "SELECT count(*), min(run_id), max(run_id), sum(total_amount) FROM shop.sales_aggregates"
REGIONS = ("North", "South", "East", "West")


def random_sales(count: int, seed: int) -> list[Sale]:
    """Sales of few products with many equal amounts, so that ranks have ties to break."""
    rng = random.Random(seed)
    amounts = ["0.01", "0.02", "5.00", "19.99", "999999999999.99"]
    return [
        (
            rng.choice(REGIONS[: 1 + seed % 4]),
            rng.randint(1, 30),
            rng.randint(1, 9),
            rng.choice(amounts)
            if rng.random() < 0.3
            else f"{rng.randint(0, 99999)}.{rng.randint(1, 99):02d}",
        )
        for _ in range(count)
    ]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_aggregate_meets_the_case(
    spark: SparkSession, target: Target, db: psycopg.Connection, case: dict
) -> None:
    sales = [tuple(sale) for sale in case["sales"]]
    expected = sorted(tuple(row) for row in case["expected"])
    assert recount(sales) == expected
    put_sales(db, sales)
    result = aggregate(spark, target, RUN_ID)
    assert read_aggregates(db) == expected
    assert (result.rows_in, result.rows_out) == (len(sales), len(expected))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_aggregate_agrees_with_an_independent_recount(
    spark: SparkSession, target: Target, db: psycopg.Connection, seed: int
) -> None:
    sales = random_sales(20_000, seed)
    put_sales(db, sales)
    result = aggregate(spark, target, RUN_ID)
    expected = recount(sales)
    assert read_aggregates(db) == expected
    levels = {
        level: sum(row[0] == level for row in expected) for level in sorted({row[0] for row in expected})
    }
    assert result.facts == {"levels": levels}
    assert db.execute("SELECT DISTINCT run_id FROM shop.sales_aggregates").fetchall() == [(RUN_ID,)]


def test_aggregate_reads_every_page_range_once(
    spark: SparkSession, target: Target, db: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    sales = random_sales(5_000, 7)
    put_sales(db, sales)
    # Far more ranges than pages.
    monkeypatch.setattr(aggregate_stage, "READ_BYTES", 100)
    aggregate(spark, target, RUN_ID)
    assert read_aggregates(db) == recount(sales)


def test_read_sales_reads_in_parallel(
    spark: SparkSession, target: Target, db: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_sales(db, random_sales(5_000, 7))
    monkeypatch.setattr(aggregate_stage, "READ_BYTES", 64 * 1024)
    begin = "ISOLATION LEVEL REPEATABLE READ READ ONLY"
    with connect(spark, target) as reader, reader.transaction(begin):
        snapshot, rows = aggregate_stage.hold_loaded_run(reader, target, RUN_ID)
        sales = aggregate_stage.read_sales(spark, reader, target, snapshot)
        counted = sales.groupBy(F.spark_partition_id()).count().collect()
    assert rows == sum(row["count"] for row in counted) == 5_000
    # Some 360 KiB.
    assert len(counted) > 4
    assert max(row["count"] for row in counted) < 2_000


def test_aggregate_reads_the_table_once(spark: SparkSession, target: Target, db: psycopg.Connection) -> None:
    put_sales(db, random_sales(5_000, 7))
    before = rows_read(db)
    aggregate(spark, target, RUN_ID)
    # By Spark, and by PostgreSQL itself for the sums to compare with.
    assert rows_read(db) - before == 2 * 5_000


def rows_read(db: psycopg.Connection) -> int:
    """Rows of shop.sales that sequential scans have read; sessions report theirs when they end."""
    others = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    deadline = time.monotonic() + PATIENCE_S
    while db.execute(others).fetchone() != (0,):
        assert time.monotonic() < deadline, "sessions do not end"
        time.sleep(0.01)
    db.execute("SELECT pg_stat_clear_snapshot()")
    read = db.execute("SELECT seq_tup_read FROM pg_stat_user_tables WHERE relname = 'sales_only'").fetchone()
    return read[0]


def test_aggregate_replaces_what_was_there_and_leaves_no_table(
    spark: SparkSession, target: Target, db: psycopg.Connection
) -> None:
    put_sales(db, random_sales(500, 1))
    aggregate(spark, target, RUN_ID)
    sales = random_sales(300, 2)
    put_sales(db, sales, "next-run")
    # What a run that was killed leaves behind.
    db.execute("CREATE UNLOGGED TABLE shop.sales_aggregates_spark_dead (LIKE shop.sales_aggregates)")
    aggregate(spark, target, "next-run")
    assert read_aggregates(db) == recount(sales)
    assert other_tables(db) == []
    put_sales(db, [], "empty-run")
    aggregate(spark, target, "empty-run")
    assert read_aggregates(db) == []


def test_aggregate_refuses_another_run_and_keeps_what_is_there(
    spark: SparkSession, target: Target, db: psycopg.Connection
) -> None:
    put_sales(db, random_sales(100, 1))
    aggregate(spark, target, RUN_ID)
    before = read_aggregates(db)
    with pytest.raises(StageError, match="holds the rows of run test-run, not those of other-run") as failure:
        aggregate(spark, target, "other-run")
    assert failure.value.exit_code == 1
    assert "load --run-id other-run" in str(failure.value.remedy)
    assert read_aggregates(db) == before
    db.execute("DELETE FROM shop.pipeline_runs")
    with pytest.raises(StageError, match="holds no rows of any run"):
        aggregate(spark, target, RUN_ID)
    assert other_tables(db) == []


def test_aggregate_sees_one_snapshot_while_rows_change(
    spark: SparkSession, target: Target, db: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    sales = random_sales(2_000, 3)
    put_sales(db, sales)
    write_rows = aggregate_stage.write_rows

    def change_then_write(*arguments: object) -> None:
        db.execute("DELETE FROM shop.sales WHERE sale_id % 2 = 0")
        db.execute("UPDATE shop.sales SET quantity = quantity + 1")
        # The partition itself cannot be swapped meanwhile.
        with pytest.raises(psycopg.errors.LockNotAvailable), db.transaction():
            db.execute("LOCK TABLE shop.sales IN ACCESS EXCLUSIVE MODE NOWAIT")
        write_rows(*arguments)

    monkeypatch.setattr(aggregate_stage, "write_rows", change_then_write)
    aggregate(spark, target, RUN_ID)
    assert read_aggregates(db) == recount(sales)


def test_aggregate_publishes_nothing_when_the_sums_differ(
    spark: SparkSession, target: Target, db: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_sales(db, random_sales(200, 1))
    aggregate(spark, target, RUN_ID)
    before = read_aggregates(db)
    write_rows = aggregate_stage.write_rows

    def write_twice(*arguments: object) -> None:
        write_rows(*arguments)
        write_rows(*arguments)

    monkeypatch.setattr(aggregate_stage, "write_rows", write_twice)
    with pytest.raises(StageError, match="The aggregates of level product sum up to") as failure:
        aggregate(spark, target, RUN_ID)
    # This is what a task looks like that was lost after its commit, and repeated.
    assert failure.value.exit_code == TRY_AGAIN
    assert read_aggregates(db) == before
    assert other_tables(db) == []


def test_aggregate_keeps_what_is_there_when_a_sum_is_too_large(
    spark: SparkSession, target: Target, db: psycopg.Connection
) -> None:
    put_sales(db, random_sales(100, 1))
    aggregate(spark, target, RUN_ID)
    before = read_aggregates(db)
    # 10,001 of the largest amounts are more than numeric(18, 2) holds.
    put_sales(db, [("North", 1, 1, "999999999999.99")] * 10_001)
    with pytest.raises(Exception, match="NUMERIC_VALUE_OUT_OF_RANGE"):
        aggregate(spark, target, RUN_ID)
    assert read_aggregates(db) == before
    assert other_tables(db) == []


@pytest.fixture
def watched(server: Server, database: str) -> Iterator[set[tuple]]:
    """What a reader sees of shop.sales_aggregates until the test ends, never waiting for a lock."""
    seen: set[tuple] = set()
    stop = threading.Event()
    faults: list[BaseException] = []

    def watch() -> None:
        try:
            with server.connect(database) as reader:
                reader.execute("SET lock_timeout = 1")
                while not stop.is_set():
                    seen.add(reader.execute(STATE).fetchone())
        except BaseException as fault:
            faults.append(fault)

    thread = threading.Thread(target=watch)
    thread.start()
    yield seen
    stop.set()
    thread.join()
    assert not faults


def test_aggregate_shows_readers_whole_states_only(
    spark: SparkSession, target: Target, db: psycopg.Connection, watched: set[tuple]
) -> None:
    states: set[tuple] = {(0, None, None, None)}
    for number in range(4):
        sales = random_sales(1_000 + number, number)
        put_sales(db, sales, f"run-{number}")
        aggregate(spark, target, f"run-{number}")
        states.add(db.execute(STATE).fetchone())
    assert len(states) == 5
    assert watched <= states
    assert len(watched) > 1
