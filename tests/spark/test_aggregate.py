"""Sums, averages, shares and ranks of edge-case sales, with weights of up to 10^9 sales."""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
from collections import defaultdict
from decimal import Decimal
from operator import itemgetter

import pytest
from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession

from recount import recount
from server import ROOT
from transforms.aggregate import aggregate, aggregate_groups

SEED = 20261124
# Cases of each of six kinds, and cases per Spark job: planning takes longer than computing so little data.
CASES = 3
BATCH = 5
SALES = "region string, product_id bigint, quantity int, sale_amount decimal(14,2)"
# The schema that group_by_region_product() returns: counts, and sums of integers and of decimal(14,0).
GROUPS = "region string, product_id bigint, sales bigint, quantity bigint, cents decimal(24,0)"
HEAVY_SALES = 1_000_000_000


@pytest.fixture(scope="module")
def drawn() -> dict[str, list[dict]]:
    """The cases that the native tests draw with this seed, with the native recount of each."""
    deno = os.environ.get("SALESFLOW_TEST_DENO") or shutil.which("deno")
    assert deno, "run these tests by: deno task test:spark"
    program = ["run", "-A", "--frozen", "tests/conformance/drawn_sales.ts", str(SEED), str(CASES)]
    done = subprocess.run([deno, *program], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def expand(case: dict) -> list[tuple]:
    """Repeats each sale by its weight."""
    return [
        (region, int(product), quantity, amount)
        for region, product, quantity, amount, weight in case["sales"]
        for _ in range(weight)
    ]


def to_groups(case: dict) -> list[tuple]:
    """Computes counts and sums by weight, one group per line of the case, as from partial data."""
    return [
        (region, int(product), weight, quantity * weight, Decimal(amount) * 100 * weight)
        for region, product, quantity, amount, weight in case["sales"]
    ]


def compare(aggregates: list[DataFrame], cases: list[dict]) -> None:
    """Compares every case with the native recount; run_id is the number of the case."""
    found: dict[int, list[str]] = defaultdict(list)
    for start in range(0, len(aggregates), BATCH):
        for row in functools.reduce(DataFrame.unionAll, aggregates[start : start + BATCH]).collect():
            *values, case_id = row
            found[int(case_id)].append(" ".join(map(str, values)))
    for case_id, case in enumerate(cases):
        assert sorted(found[case_id]) == case["expected"], (case["kind"], case["sales"])


def test_aggregate_agrees_with_the_native_recount(spark: SparkSession, drawn: dict[str, list[dict]]) -> None:
    cases = drawn["light"]
    aggregates = []
    for number, case in enumerate(cases):
        sales = expand(case)
        assert sorted(" ".join(map(str, row)) for row in recount(sales)) == case["expected"]
        rows = [(*sale, Decimal(amount)) for *sale, amount in sales]
        aggregates.append(aggregate(spark.createDataFrame(rows, SALES), str(number)))
    compare(aggregates, cases)


def test_aggregate_groups_agrees_for_10_9_sales_and_for_the_largest_sum(
    spark: SparkSession, drawn: dict[str, list[dict]]
) -> None:
    cases = drawn["heavy"]
    assert HEAVY_SALES in [sum(map(itemgetter(4), case["sales"])) for case in cases]
    aggregates = [
        aggregate_groups(spark.createDataFrame(to_groups(case), GROUPS), str(number))
        for number, case in enumerate(cases)
    ]
    compare(aggregates, cases)


@pytest.mark.parametrize("amount", ["999999999999.99", "10000000.00"])
def test_aggregate_groups_fails_for_10_9_sales_whose_sum_overflows(spark: SparkSession, amount: str) -> None:
    rows = to_groups({"sales": [("North", 1, 1, amount, HEAVY_SALES)]})
    # PySpark leaves the Java exception unconverted when several stages fail at the same time.
    with pytest.raises((PySparkException, Py4JJavaError), match="NUMERIC_VALUE_OUT_OF_RANGE"):
        aggregate_groups(spark.createDataFrame(rows, GROUPS), "overflow").collect()
