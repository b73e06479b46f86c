"""Stage aggregate when PostgreSQL fails in the middle: what remains, and the exit code."""

from __future__ import annotations

import psycopg
import pytest
from pyspark.sql import DataFrame, SparkSession

import aggregate_stage
from aggregate_stage import aggregate
from errors import EXIT_TEMPFAIL, StageError
from postgres import Target
from shop import RUN_ID, extra_tables, insert_sales, read_aggregates

SALES = [("North", 1, 2, "10.00"), ("South", 2, 1, "0.05"), ("North", 2, 5, "999.99")]
# The connection that holds the lock on shop.sales.
READER = """
SELECT pid FROM pg_locks
WHERE relation = 'shop.sales'::regclass AND mode = 'AccessShareLock' AND pid <> pg_backend_pid()
"""
WRITER = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted"


def kill(db: psycopg.Connection, query: str) -> None:
    """Terminates the one backend that a query finds, and waits until it has exited."""
    pids = [pid for (pid,) in db.execute(query).fetchall()]
    assert len(pids) == 1
    assert db.execute("SELECT pg_terminate_backend(%s, 10000)", pids).fetchone() == (True,)


def test_aggregate_exits_with_75_when_the_reader_is_lost_before_tasks_read(
    spark: SparkSession, target: Target, db: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    insert_sales(db, SALES)
    read_sales = aggregate_stage.read_sales

    def read_then_lose(*arguments: object) -> DataFrame:
        sales = read_sales(*arguments)
        kill(db, READER)
        return sales

    with monkeypatch.context() as patch:
        patch.setattr(aggregate_stage, "read_sales", read_then_lose)
        with pytest.raises(StageError, match="closed the connection that holds the lock") as failure:
            aggregate(spark, target, RUN_ID)
    assert failure.value.exit_code == EXIT_TEMPFAIL
    assert "snapshot" in failure.value.message
    assert (extra_tables(db), read_aggregates(db)) == ([], [])
    aggregate(spark, target, RUN_ID)
    assert len(read_aggregates(db)) == 8


def test_aggregate_publishes_nothing_when_the_reader_is_lost_before_it_publishes(
    spark: SparkSession, target: Target, db: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    insert_sales(db, SALES)
    check_levels = aggregate_stage.check_levels

    def check_then_lose(*arguments: object) -> dict[str, int]:
        levels = check_levels(*arguments)
        kill(db, READER)
        return levels

    monkeypatch.setattr(aggregate_stage, "check_levels", check_then_lose)
    with pytest.raises(StageError) as failure:
        aggregate(spark, target, RUN_ID)
    assert failure.value.exit_code == EXIT_TEMPFAIL
    assert (extra_tables(db), read_aggregates(db)) == ([], [])


def test_aggregate_reports_the_first_error_when_the_staging_table_cannot_be_dropped(
    spark: SparkSession, target: Target, db: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    insert_sales(db, SALES)

    def lose_and_fail(*_: object) -> None:
        kill(db, WRITER)
        raise ZeroDivisionError("the first error")

    with monkeypatch.context() as patch:
        patch.setattr(aggregate_stage, "write_rows", lose_and_fail)
        with pytest.raises(ZeroDivisionError, match="the first error"):
            aggregate(spark, target, RUN_ID)
    assert len(extra_tables(db)) == 1
    aggregate(spark, target, RUN_ID)
    assert extra_tables(db) == []
