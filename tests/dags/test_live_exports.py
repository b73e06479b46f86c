"""A shop's own exports on a real scheduler: they come late, and every week anew.

The tests depend on each other, in this order.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from live import RUN_SECONDS, RUNS, SPARK_ENVIRONMENT, Live
from services import wait_for

MOSCOW = ZoneInfo("Europe/Moscow")
STAGES = ["migrate", "ingest", "clean", "load", "aggregate", "transfer", "verify", "report"]
SOURCE = """
version: 1
files: [exports/*.csv]
newest_within_days: 6
numbers: {decimal: ","}
columns:
  sale_id: Order
  customer_id: Email
  product_id: SKU
  quantity: Quantity
  sale_date: {column: Date, format: dd.MM.yyyy}
  sale_amount: "[Price] * [Quantity]"
  region: {column: City, lookup: regions.csv}
  product_name: Title
on_conflict: last
"""
HEADER = "Order;Email;SKU;Quantity;Date;Price;City;Title\n"

pytestmark = pytest.mark.skipif(
    not SPARK_ENVIRONMENT, reason="run by tests/dags/run.ts, which prepares PySpark"
)


class Inbox:
    """A folder with a source file and exports."""

    def __init__(self, folder: Path) -> None:
        self.source = folder / "shop.yaml"
        self._exports = folder / "exports"
        self._exports.mkdir(parents=True)
        self.source.write_text(SOURCE)
        (folder / "regions.csv").write_text("City,region\nMoscow,North\nTula,South\n")

    def add(self, name: str, day: datetime, sales: list[str]) -> None:
        """Adds an export that was last changed on a day; it appears whole, as it should."""
        incomplete = self._exports / f".{name}"
        rows = "".join(f"{sale.format(day=day.strftime('%d.%m.%Y'))}\n" for sale in sales)
        incomplete.write_text(HEADER + rows)
        os.utime(incomplete, (day.timestamp(), day.timestamp()))
        incomplete.rename(self._exports / name)


@pytest.fixture(scope="module")
def inbox(tmp_path_factory: pytest.TempPathFactory) -> Inbox:
    return Inbox(tmp_path_factory.mktemp("inbox"))


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory, inbox: Inbox) -> Iterator[Live]:
    settings = {
        "SALESFLOW_SOURCE": str(inbox.source),
        "SALESFLOW_EXPORT_RETRY_SECONDS": "2",
        # Of a few sales, one that is corrected is a large share.
        "SALESFLOW_MAX_REJECTED": "0.5",
    }
    found = Live(tmp_path_factory.mktemp("live"), settings)
    yield found
    found.stop()


def wait_for_late_export(live: Live, run_id: str) -> None:
    wait_for(
        "a second try of ingest",
        lambda: live.task(run_id, "ingest")["state"] == "up_for_retry",
        RUN_SECONDS,
        0.2,
    )
    log = live.ask("GET", f"{RUNS}/{run_id}/taskInstances/ingest/logs/1?full_content=true")
    assert "ingest has no new export that it can read yet (exit code 75)" in json.dumps(log)


def imported(live: Live, day: datetime) -> list[Any]:
    """Returns everything that ClickHouse has of an import date, with the time of the import."""
    return live.databases.clickhouse(
        f"SELECT * FROM shop.sales_aggregates WHERE import_date = '{day:%Y-%m-%d}' "
        "ORDER BY level, region, product_id"
    )


def totals(live: Live, day: datetime) -> list[Any]:
    return live.databases.clickhouse(
        "SELECT region, toInt32(total_sales), toDecimalString(total_amount, 2) FROM shop.sales_aggregates "
        f"WHERE import_date = '{day:%Y-%m-%d}' AND level IN ('total', 'region') "
        "ORDER BY level = 'total', region"
    )


@pytest.fixture(scope="module")
def first_week(live: Live, inbox: Inbox) -> tuple[datetime, list[Any]]:
    """The scheduled run, whose export comes only when ingest has looked for it once."""
    now = datetime.now(UTC)
    inbox.add("0-old.csv", now - timedelta(days=40), ["#1;a@x;MUG;1;{day};100,00;Moscow;Mug"])
    live.unpause()
    (run,) = wait_for("the scheduled run", lambda: live.ask("GET", RUNS)["dag_runs"], 60)
    wait_for_late_export(live, run["dag_run_id"])
    tuesday = datetime.fromisoformat(run["run_after"]).astimezone(MOSCOW)
    inbox.add(
        "1-week.csv",
        tuesday,
        ["#2;b@x;MUG;2;{day};100,50;Tula;Mug", "#3;a@x;PAN;1;{day};300,00;Moscow;Pan"],
    )
    live.wait(run["dag_run_id"], "success")
    return tuesday, imported(live, tuesday)


def test_late_export_comes_to_clickhouse(live: Live, first_week: tuple[datetime, list[Any]]) -> None:
    tuesday, _ = first_week
    assert totals(live, tuesday) == [["North", 2, "400.00"], ["South", 1, "201.00"], ["All", 3, "601.00"]]
    run = f"{tuesday:%Y-%m-%d}"
    for stage in STAGES:
        record = live.record(run, stage)
        assert record["status"] == "done", stage
        assert record["engine"] == ("spark" if stage in ("clean", "aggregate") else "native")
    assert live.databases.clickhouse("SELECT sku FROM shop.products ORDER BY sku") == [["MUG"], ["PAN"]]


def test_new_export_of_the_next_week_leaves_the_last_import_as_it_was(
    live: Live, inbox: Inbox, first_week: tuple[datetime, list[Any]]
) -> None:
    tuesday, before = first_week
    next_tuesday = tuesday + timedelta(days=7)
    run_id = live.trigger(as_of=f"{next_tuesday:%Y-%m-%d}")["dag_run_id"]
    wait_for_late_export(live, run_id)
    inbox.add(
        "2-week.csv",
        next_tuesday,
        ["#4;c@x;MUG;1;{day};100,50;Tula;Mug", "#3;a@x;PAN;1;{day};250,00;Moscow;Pan"],
    )
    live.wait(run_id, "success")
    # Sale 3 was corrected.
    assert totals(live, next_tuesday) == [
        ["North", 2, "350.00"],
        ["South", 2, "301.50"],
        ["All", 4, "651.50"],
    ]
    assert imported(live, tuesday) == before
    assert live.databases.postgres("SELECT count(*), sum(sale_amount)::text FROM shop.sales") == [
        (4, "651.50")
    ]


def test_airflow_shows_what_it_waits_for(live: Live) -> None:
    dag = live.ask("GET", "/api/v2/dags/sales_pipeline/details")
    assert "for 10 hours; then the alert says so" in dag["doc_md"]
    assert set(dag["params"]) == {"as_of"}
