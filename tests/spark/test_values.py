"""Parsing of fields into values; every accepted format is in tests/conformance/values."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from pyspark.sql import SparkSession

from transforms.values import parse_values

VALID = ["7", "11", "22", "3", "2026-11-24", "10.00", "North"]
COLUMNS = ["sale_id", "customer_id", "product_id", "quantity", "sale_date", "sale_amount", "region"]
DAY = date(2026, 11, 24)
VALUES = [
    ("sale_id", "007", 7),
    ("sale_id", "9223372036854775808", None),
    ("customer_id", "0", None),
    ("product_id", "9223372036854775807", 9_223_372_036_854_775_807),
    ("product_id", "9223372036854775808", None),
    ("product_id", "1.0", None),
    ("quantity", "3.00", 3),
    ("quantity", "3.01", None),
    ("sale_date", "24.11.2026", DAY),
    ("sale_date", "2026/11/24", DAY),
    ("sale_date", "2026-11-24T23:59:59", DAY),
    ("sale_date", "2026-02-29", None),
    ("sale_amount", "₽ 1 234,5", Decimal("1234.50")),
    ("sale_amount", "12 RUB", Decimal("12.00")),
    ("sale_amount", "₽12 RUB", None),
    ("sale_amount", "0.00", None),
    ("region", "СЕВЕР", "North"),
    ("region", "North-West", None),
]


SCHEMA = (
    "part int, block long, seq long, line string, blank boolean, has_blanks boolean, fields array<string>"
)


def parse(spark: SparkSession, rows: list[list[str] | None]) -> list:
    """Parses rows of fields."""
    lines = [(0, 0, seq, "", False, True, fields) for seq, fields in enumerate(rows)]
    return parse_values(spark.createDataFrame(lines, SCHEMA)).orderBy("seq").collect()


def test_parse_values_parses_or_returns_null(spark: SparkSession) -> None:
    rows = [
        [f" {text}\t" if name == column else valid for name, valid in zip(COLUMNS, VALID, strict=True)]
        for column, text, _ in VALUES
    ]
    parsed = parse(spark, rows)
    found = [(column, text, row[column]) for (column, text, _), row in zip(VALUES, parsed, strict=True)]
    assert found == VALUES
    assert not any(row["missing"] or row["malformed"] for row in parsed)


def test_parse_values_marks_missing_values_and_malformed_rows(spark: SparkSession) -> None:
    missing, malformed = parse(spark, [[*VALID[:6], " "], None])
    assert (missing["missing"], missing["malformed"]) == (True, False)
    assert malformed["malformed"]
