"""Writes sales to a test's database and reads its aggregates."""

from __future__ import annotations

from collections.abc import Iterable

import psycopg

from recount import Row, Sale

RUN_ID = "test-run"
AGGREGATES = """
SELECT level, region, product_id, total_sales, total_quantity, total_amount::text, average_sale_amount::text,
  amount_share::text, amount_rank, cumulative_share::text
FROM shop.sales_aggregates
ORDER BY level COLLATE "C", region COLLATE "C", product_id
"""
COPY_SALES = """
COPY shop.sales (sale_id, customer_id, product_id, quantity, sale_date, sale_amount, region) FROM STDIN
"""
LOADED_RUN = """
INSERT INTO shop.pipeline_runs (
  run_id, as_of, source, clean_engine, raw_rows, clean_rows, duplicate_rows, rejected_rows, rejected_by_reason
)
VALUES (%s, '2026-11-24', 'generated', 'spark', %s, %s, 0, 0, '{}')
"""


def insert_sales(db: psycopg.Connection, sales: Iterable[Sale], run_id: str = RUN_ID) -> None:
    """Replaces the sales, and records the run as loaded."""
    with db.transaction():
        db.execute("DELETE FROM shop.sales")
        count = 0
        with db.cursor().copy(COPY_SALES) as copy:
            for region, product, quantity, amount in sales:
                count += 1
                copy.write_row((count, 1, product, quantity, "2026-11-24", amount, region))
        db.execute("DELETE FROM shop.pipeline_runs")
        db.execute(LOADED_RUN, (run_id, count, count))


def read_aggregates(db: psycopg.Connection) -> list[Row]:
    """Returns the aggregates without run_id, sorted like recount()."""
    return [tuple(row) for row in db.execute(AGGREGATES).fetchall()]


def extra_tables(db: psycopg.Connection) -> list[str]:
    """Returns the tables of the schema shop that no migration creates, other than the sales partition."""
    known = ["pipeline_runs", "products", "rejected_sales", "sales", "sales_aggregates", "sales_only"]
    found = db.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'shop' ORDER BY 1").fetchall()
    return [name for (name,) in found if name not in known]
