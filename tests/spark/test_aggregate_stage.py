"""Stage aggregate on a real PostgreSQL: cases, independent recount, publication, failures."""

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
from cases import case_files, read_json
from errors import EXIT_TEMPFAIL, StageError
from postgres import Target, connect
from recount import Sale, recount
from server import WAIT_TIMEOUT_S, Server
from shop import LOADED_RUN, RUN_ID, extra_tables, insert_sales, read_aggregates

CASES = [case for path in case_files("aggregate") for case in read_json(path)]
STATE = "SELECT count(*), min(run_id), max(run_id), sum(total_amount) FROM shop.sales_aggregates"
REGIONS = ("North", "South", "East", "West")
LARGEST_SUM = "9999999999999999.99"


def random_sales(count: int, seed: int) -> list[Sale]:
    """Draws sales of few products with many equal amounts, so that ranks have ties."""
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
def test_aggregate_passes_the_case(
    spark: SparkSession, target: Target, db: psycopg.Connection, case: dict
) -> None:
    sales = [(region, int(product), *rest) for region, product, *rest in case["sales"]]
    expected = sorted(
        (level, region, int(product), *rest) for level, region, product, *rest in case["expected"]
    )
    assert recount(sales) == expected
    insert_sales(db, sales)
    result = aggregate(spark, target, RUN_ID)
    assert read_aggregates(db) == expected
    assert (result.rows_in, result.rows_out) == (len(sales), len(expected))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_aggregate_agrees_with_an_independent_recount(
    spark: SparkSession, target: Target, db: psycopg.Connection, seed: int
) -> None:
    sales = random_sales(20_000, seed)
    insert_sales(db, sales)
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
    insert_sales(db, sales)
    # Far more ranges than pages.
    monkeypatch.setattr(aggregate_stage, "READ_TASK_BYTES", 100)
    aggregate(spark, target, RUN_ID)
    assert read_aggregates(db) == recount(sales)


def test_read_sales_reads_in_parallel(
    spark: SparkSession, target: Target, db: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    insert_sales(db, random_sales(5_000, 7))
    monkeypatch.setattr(aggregate_stage, "READ_TASK_BYTES", 64 * 1024)
    begin = "ISOLATION LEVEL REPEATABLE READ READ ONLY"
    with connect(spark, target) as reader, reader.transaction(begin):
        snapshot, rows = aggregate_stage.lock_loaded_run(reader, target, RUN_ID)
        sales = aggregate_stage.read_sales(spark, reader, target, snapshot)
        counted = sales.groupBy(F.spark_partition_id()).count().collect()
    assert rows == sum(row["count"] for row in counted) == 5_000
    # The table has about 360 KiB.
    assert len(counted) > 4
    assert max(row["count"] for row in counted) < 2_000


def test_aggregate_reads_the_table_once(spark: SparkSession, target: Target, db: psycopg.Connection) -> None:
    insert_sales(db, random_sales(5_000, 7))
    before = rows_read(db)
    aggregate(spark, target, RUN_ID)
    # Once by Spark, and once by PostgreSQL for the comparison of the sums.
    assert rows_read(db) - before == 2 * 5_000


def rows_read(db: psycopg.Connection) -> int:
    """Returns how many rows of shop.sales sequential scans have read; sessions report that when they end."""
    others = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    deadline = time.monotonic() + WAIT_TIMEOUT_S
    while db.execute(others).fetchone() != (0,):
        assert time.monotonic() < deadline, "sessions did not end"
        time.sleep(0.01)
    db.execute("SELECT pg_stat_clear_snapshot()")
    read = db.execute("SELECT seq_tup_read FROM pg_stat_user_tables WHERE relname = 'sales_only'").fetchone()
    return read[0]


def test_aggregate_replaces_earlier_aggregates_and_leaves_no_table(
    spark: SparkSession, target: Target, db: psycopg.Connection
) -> None:
    insert_sales(db, random_sales(500, 1))
    aggregate(spark, target, RUN_ID)
    sales = random_sales(300, 2)
    insert_sales(db, sales, "next-run")
    # The leftover of a killed run.
    db.execute("CREATE UNLOGGED TABLE shop.sales_aggregates_spark_dead (LIKE shop.sales_aggregates)")
    aggregate(spark, target, "next-run")
    assert read_aggregates(db) == recount(sales)
    assert extra_tables(db) == []
    insert_sales(db, [], "empty-run")
    aggregate(spark, target, "empty-run")
    assert read_aggregates(db) == []


def test_aggregate_fails_for_another_run_and_keeps_the_aggregates(
    spark: SparkSession, target: Target, db: psycopg.Connection
) -> None:
    insert_sales(db, random_sales(100, 1))
    aggregate(spark, target, RUN_ID)
    before = read_aggregates(db)
    with pytest.raises(StageError, match="holds the rows of run test-run, not those of other-run") as failure:
        aggregate(spark, target, "other-run")
    assert failure.value.exit_code == 1
    assert "load --run-id other-run" in str(failure.value.remedy)
    # It was loaded, and then another run.
    db.execute(LOADED_RUN, ("next-run", 0, 0))
    with pytest.raises(StageError, match="another command published that run") as failure:
        aggregate(spark, target, RUN_ID)
    assert failure.value.exit_code == EXIT_TEMPFAIL
    assert f"--from load --run-id {RUN_ID}" in str(failure.value.remedy)
    assert read_aggregates(db) == before
    db.execute("DELETE FROM shop.pipeline_runs")
    with pytest.raises(StageError, match="holds no rows of any run"):
        aggregate(spark, target, RUN_ID)
    assert extra_tables(db) == []


def test_aggregate_sees_one_snapshot_while_rows_change(
    spark: SparkSession, target: Target, db: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    sales = random_sales(2_000, 3)
    insert_sales(db, sales)
    write_rows = aggregate_stage.write_rows

    def modify_then_write(*arguments: object) -> None:
        db.execute("DELETE FROM shop.sales WHERE sale_id % 2 = 0")
        db.execute("UPDATE shop.sales SET quantity = quantity + 1")
        # A load cannot swap the partition in the meantime.
        with pytest.raises(psycopg.errors.LockNotAvailable), db.transaction():
            db.execute("LOCK TABLE shop.sales IN ACCESS EXCLUSIVE MODE NOWAIT")
        write_rows(*arguments)

    monkeypatch.setattr(aggregate_stage, "write_rows", modify_then_write)
    aggregate(spark, target, RUN_ID)
    assert read_aggregates(db) == recount(sales)


def test_aggregate_publishes_nothing_when_the_sums_differ(
    spark: SparkSession, target: Target, db: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    insert_sales(db, random_sales(200, 1))
    aggregate(spark, target, RUN_ID)
    before = read_aggregates(db)
    write_rows = aggregate_stage.write_rows

    def write_twice(*arguments: object) -> None:
        write_rows(*arguments)
        write_rows(*arguments)

    monkeypatch.setattr(aggregate_stage, "write_rows", write_twice)
    with pytest.raises(StageError, match="The aggregates of level product add up to") as failure:
        aggregate(spark, target, RUN_ID)
    # The effect of a task that is lost after its commit and repeated.
    assert failure.value.exit_code == EXIT_TEMPFAIL
    assert read_aggregates(db) == before
    assert extra_tables(db) == []


def test_aggregate_keeps_the_aggregates_when_a_sum_overflows(
    spark: SparkSession, target: Target, db: psycopg.Connection
) -> None:
    insert_sales(db, random_sales(100, 1))
    aggregate(spark, target, RUN_ID)
    before = read_aggregates(db)
    # The sum of 10,001 maximum amounts exceeds numeric(18, 2).
    insert_sales(db, [("North", 1, 1, "999999999999.99")] * 10_001)
    with pytest.raises(Exception, match="NUMERIC_VALUE_OUT_OF_RANGE"):
        aggregate(spark, target, RUN_ID)
    assert read_aggregates(db) == before
    assert extra_tables(db) == []


def test_aggregate_stores_the_largest_sum_and_fails_for_one_kopeck_more(
    spark: SparkSession, target: Target, db: psycopg.Connection
) -> None:
    largest = 2_147_483_647
    sales = [
        *[("North", 1, largest, "999999999999.99")] * 5_000,
        *[("East", 9_223_372_036_854_775_807, largest, "999999999999.99")] * 5_000,
        ("West", 7, 1, "99.99"),
    ]
    insert_sales(db, sales)
    aggregate(spark, target, RUN_ID)
    stored = read_aggregates(db)
    assert stored == recount(sales)
    assert ("total", "All", 0, 10_001, 10_000 * largest + 1, LARGEST_SUM) in [row[:6] for row in stored]
    insert_sales(db, [*sales, ("West", 7, 1, "0.01")])
    with pytest.raises(Exception, match="NUMERIC_VALUE_OUT_OF_RANGE"):
        aggregate(spark, target, RUN_ID)
    assert read_aggregates(db) == stored


@pytest.fixture
def watched(server: Server, database: str) -> Iterator[set[tuple]]:
    """States of shop.sales_aggregates that a reader sees during the test, without waiting for locks."""
    seen: set[tuple] = set()
    stop = threading.Event()
    errors: list[BaseException] = []

    def watch() -> None:
        try:
            with server.connect(database) as reader:
                reader.execute("SET lock_timeout = 1")
                while not stop.is_set():
                    seen.add(reader.execute(STATE).fetchone())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=watch)
    thread.start()
    yield seen
    stop.set()
    thread.join()
    assert not errors


def test_aggregate_shows_readers_only_complete_states(
    spark: SparkSession, target: Target, db: psycopg.Connection, watched: set[tuple]
) -> None:
    states: set[tuple] = {(0, None, None, None)}
    for number in range(4):
        sales = random_sales(1_000 + number, number)
        insert_sales(db, sales, f"run-{number}")
        aggregate(spark, target, f"run-{number}")
        states.add(db.execute(STATE).fetchone())
    assert len(states) == 5
    assert watched <= states
    assert len(watched) > 1
