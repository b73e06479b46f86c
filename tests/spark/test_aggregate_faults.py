"""aggregate when PostgreSQL fails on the way: what is left, and whether trying again is offered."""

from __future__ import annotations

import os
import signal

import psycopg
import pytest
from pyspark.sql import DataFrame, SparkSession

import aggregate_stage
from aggregate_stage import aggregate
from errors import PASSING_STATES, TRY_AGAIN, StageError, explain
from postgres import Target, connect, parse_url
from server import Server
from shop import RUN_ID, other_tables, put_sales, read_aggregates

SALES = [("North", 1, 2, "10.00"), ("South", 2, 1, "0.05"), ("North", 2, 5, "999.99")]
# The one connection that keeps shop.sales as it is.
READER = """
SELECT pid FROM pg_locks
WHERE relation = 'shop.sales'::regclass AND mode = 'AccessShareLock' AND pid <> pg_backend_pid()
"""
WRITER = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted"


def kill(db: psycopg.Connection, whom: str) -> None:
    """Ends the backends that a statement finds, and waits until they are gone."""
    pids = [pid for (pid,) in db.execute(whom).fetchall()]
    assert len(pids) == 1
    assert db.execute("SELECT pg_terminate_backend(%s, 10000)", pids).fetchone() == (True,)


def test_aggregate_offers_another_try_when_the_reader_is_lost_before_tasks_read(
    spark: SparkSession, target: Target, db: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_sales(db, SALES)
    read_sales = aggregate_stage.read_sales

    def read_then_lose(*arguments: object) -> DataFrame:
        sales = read_sales(*arguments)
        kill(db, READER)
        return sales

    with monkeypatch.context() as patch:
        patch.setattr(aggregate_stage, "read_sales", read_then_lose)
        with pytest.raises(StageError, match="ended the connection that kept") as failure:
            aggregate(spark, target, RUN_ID)
    assert failure.value.exit_code == TRY_AGAIN
    assert "snapshot" in failure.value.message
    assert (other_tables(db), read_aggregates(db)) == ([], [])
    aggregate(spark, target, RUN_ID)
    assert len(read_aggregates(db)) == 8


def test_aggregate_publishes_nothing_when_the_reader_is_lost_before_it_publishes(
    spark: SparkSession, target: Target, db: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_sales(db, SALES)
    check_levels = aggregate_stage.check_levels

    def check_then_lose(*arguments: object) -> dict[str, int]:
        levels = check_levels(*arguments)
        kill(db, READER)
        return levels

    monkeypatch.setattr(aggregate_stage, "check_levels", check_then_lose)
    with pytest.raises(StageError) as failure:
        aggregate(spark, target, RUN_ID)
    assert failure.value.exit_code == TRY_AGAIN
    assert (other_tables(db), read_aggregates(db)) == ([], [])


def test_aggregate_reports_the_first_error_when_the_staging_table_cannot_be_dropped(
    spark: SparkSession, target: Target, db: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_sales(db, SALES)

    def lose_and_fail(*_: object) -> None:
        kill(db, WRITER)
        raise ZeroDivisionError("the first error")

    with monkeypatch.context() as patch:
        patch.setattr(aggregate_stage, "write_rows", lose_and_fail)
        with pytest.raises(ZeroDivisionError, match="the first error"):
            aggregate(spark, target, RUN_ID)
    assert len(other_tables(db)) == 1
    aggregate(spark, target, RUN_ID)
    assert other_tables(db) == []


def test_connection_is_given_up_when_the_server_falls_silent(
    spark: SparkSession, server: Server, database: str
) -> None:
    with connect(spark, parse_url(server.url(database), timeout_s=1)) as connection:
        [(pid,)] = connection.query("SELECT pg_backend_pid()")
        os.kill(int(pid), signal.SIGSTOP)
        try:
            with pytest.raises(Exception, match="I/O error") as failure:
                connection.query("SELECT 1")
            assert explain(failure.value).exit_code == TRY_AGAIN
            assert not connection.is_alive()
        finally:
            os.kill(int(pid), signal.SIGCONT)


def test_connection_ends_a_statement_that_takes_too_long(
    spark: SparkSession, server: Server, database: str
) -> None:
    with connect(spark, parse_url(server.url(database), timeout_s=1)) as connection:
        with pytest.raises(Exception, match="statement timeout") as failure:
            connection.query("SELECT pg_sleep(60)")
        assert explain(failure.value).exit_code == TRY_AGAIN
        # Two seconds more, which the rows of this statement do not need.
        connection.allow(rows=40_000)
        assert connection.query("SELECT pg_sleep(1.6)")


@pytest.mark.parametrize(
    ("state", "passes"),
    [
        *[("08006", True), ("25P03", True), ("25P04", True), ("53300", True), ("57P01", True)],
        *[("22003", False), ("22023", False), ("42704", False), ("42P01", False)],
    ],
)
def test_passing_states_are_those_that_go_away(state: str, passes: bool) -> None:
    assert bool(PASSING_STATES.match(state)) == passes
