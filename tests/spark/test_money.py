"""Sums, averages, shares and ranks of sales that are drawn to be hard, up to 10^9 of them by weight."""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
from collections import defaultdict
from decimal import Decimal
from operator import itemgetter

import psycopg
import pytest
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession

from aggregate_stage import aggregate as aggregate_stage
from postgres import Target
from recount import recount
from server import ROOT
from shop import RUN_ID, put_sales, read_aggregates
from transforms.aggregate import aggregate, aggregate_cells

SEED = 20261124
# Cases of each of six kinds, and how many are computed at once: plans take longer than such little data.
CASES = 3
BATCH = 5
SALES = "region string, product_id int, quantity int, sale_amount decimal(14,2)"
# The types that the first level of the transform has: counts, and sums of integers and of decimal(14,0).
CELLS = "region string, product_id int, sales bigint, quantity bigint, cents decimal(24,0)"
HEAVY_SALES = 1_000_000_000
LARGEST_SUM = "9999999999999999.99"


@pytest.fixture(scope="module")
def drawn() -> dict[str, list[dict]]:
    """The cases that the native tests draw by this seed, with the native recount of each."""
    deno = os.environ.get("SALESFLOW_TEST_DENO") or shutil.which("deno")
    assert deno, "run these tests by: deno task test:spark"
    program = ["run", "-A", "--frozen", "tests/conformance/drawn_sales.ts", str(SEED), str(CASES)]
    done = subprocess.run([deno, *program], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def one_by_one(case: dict) -> list[tuple]:
    """Each sale as often as its weight says."""
    return [(*sale, amount) for *sale, amount, weight in case["sales"] for _ in range(weight)]


def cells(case: dict) -> list[tuple]:
    """Counts and sums by weight; each line of the case is a cell of its own, as of a part of the data."""
    return [
        (region, product, weight, quantity * weight, Decimal(amount) * 100 * weight)
        for region, product, quantity, amount, weight in case["sales"]
    ]


def compare(aggregates: list[DataFrame], cases: list[dict]) -> None:
    """Every case must have the rows of the native recount; the run_id is the number of the case."""
    found: dict[int, list[str]] = defaultdict(list)
    for start in range(0, len(aggregates), BATCH):
        for row in functools.reduce(DataFrame.unionAll, aggregates[start : start + BATCH]).collect():
            *values, case_id = row
            found[int(case_id)].append(" ".join(map(str, values)))
    for case_id, case in enumerate(cases):
        assert sorted(found[case_id]) == case["expected"], (case["kind"], case["sales"])


def test_aggregate_agrees_with_the_native_recount_for_whatever_sales(
    spark: SparkSession, drawn: dict[str, list[dict]]
) -> None:
    cases = drawn["light"]
    aggregates = []
    for number, case in enumerate(cases):
        sales = one_by_one(case)
        assert sorted(" ".join(map(str, row)) for row in recount(sales)) == case["expected"]
        rows = [(*sale, Decimal(amount)) for *sale, amount in sales]
        aggregates.append(aggregate(spark.createDataFrame(rows, SALES), str(number)))
    compare(aggregates, cases)


def test_aggregate_agrees_over_10_9_sales_by_weight_or_the_largest_sum(
    spark: SparkSession, drawn: dict[str, list[dict]]
) -> None:
    cases = drawn["heavy"]
    assert HEAVY_SALES in [sum(map(itemgetter(4), case["sales"])) for case in cases]
    aggregates = [
        aggregate_cells(spark.createDataFrame(cells(case), CELLS), str(number))
        for number, case in enumerate(cases)
    ]
    compare(aggregates, cases)


@pytest.mark.parametrize("amount", ["999999999999.99", "10000000.00"])
def test_aggregate_refuses_10_9_sales_by_weight_that_its_column_cannot_hold(
    spark: SparkSession, amount: str
) -> None:
    rows = cells({"sales": [("North", 1, 1, amount, HEAVY_SALES)]})
    with pytest.raises(PySparkException, match="NUMERIC_VALUE_OUT_OF_RANGE"):
        aggregate_cells(spark.createDataFrame(rows, CELLS), "refused").collect()


def test_aggregate_stores_the_largest_sum_and_refuses_one_kopeck_more(
    spark: SparkSession, target: Target, db: psycopg.Connection
) -> None:
    largest = 2_147_483_647
    sales = [
        *[("North", 1, largest, "999999999999.99")] * 5_000,
        *[("East", largest, largest, "999999999999.99")] * 5_000,
        ("West", 7, 1, "99.99"),
    ]
    put_sales(db, sales)
    aggregate_stage(spark, target, RUN_ID)
    stored = read_aggregates(db)
    assert stored == recount(sales)
    assert ("total", "All", 0, 10_001, 10_000 * largest + 1, LARGEST_SUM) in [row[:6] for row in stored]
    put_sales(db, [*sales, ("West", 7, 1, "0.01")])
    with pytest.raises(Exception, match="NUMERIC_VALUE_OUT_OF_RANGE"):
        aggregate_stage(spark, target, RUN_ID)
    assert read_aggregates(db) == stored
