"""Validation, deduplication and output rows, on small DataFrames."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from transforms.clean import (
    BLANK,
    CLEAN,
    DUPLICATE,
    accepted_dates,
    clean_rows,
    count_statuses,
    mark_duplicates,
    rejected_rows,
    sanitize_line,
    validate,
    with_header,
)
from transforms.fields import MAX_LINE_BYTES

VALIDATED = (
    "part int, block long, seq long, line string, reason string, key long, canonical string, "
    "sale_amount decimal(14, 2)"
)
LINES = "part int, block long, seq long, value string"
ROW = "{id},11,22,3,{day},10.00,{region}"


def row(id: int, day: str = "2026-11-24", region: str = "North") -> str:
    """Returns a raw line."""
    return ROW.format(id=id, day=day, region=region)


def test_accepted_dates_are_the_year_up_to_as_of() -> None:
    assert accepted_dates(date(2026, 11, 24)) == (date(2025, 11, 25), date(2026, 11, 24))


def test_validate_marks_every_line_and_counts_statuses_per_split(spark: SparkSession) -> None:
    values = [
        "sale_id,customer_id,product_id,quantity,sale_date,sale_amount,region",
        row(1),
        row(1, region="n"),
        row(1, region="South"),
        row(2, day="2025-11-24"),
        " ",
        "x",
    ]
    lines = spark.createDataFrame([(0, 0, 10 + seq, value) for seq, value in enumerate(values)], LINES)
    validated = validate(lines, accepted_dates(date(2026, 11, 24)), 2)
    assert [tuple(found) for found in validated.orderBy("seq").select("status", "text").collect()] == [
        ("invalid_sale_id", values[0]),
        (CLEAN, values[1]),
        (DUPLICATE, None),
        ("conflicting_duplicate", values[3]),
        ("date_out_of_range", values[4]),
        (BLANK, None),
        ("malformed_row", "x"),
    ]
    assert [found["text"] for found in clean_rows(validated).collect()] == [values[1]]
    counts = {
        found["status"]: (found["lines"], found["first_seq"]) for found in count_statuses(validated).collect()
    }
    assert counts["invalid_sale_id"] == (1, 10)
    amounts = {
        found["status"]: (found["amounts"], found["amount"]) for found in count_statuses(validated).collect()
    }
    assert amounts["conflicting_duplicate"] == amounts["date_out_of_range"] == (1, Decimal("10.00"))
    assert amounts["malformed_row"] == amounts["invalid_sale_id"] == amounts[CLEAN] == (0, None)
    assert len(counts) == 7


def test_validate_accepts_every_date_without_a_range(spark: SparkSession) -> None:
    lines = spark.createDataFrame([(0, 0, 0, row(2, day="1999-01-01"))], LINES)
    assert [found["status"] for found in validate(lines, None, 1).collect()] == [CLEAN]


def test_mark_duplicates_keeps_the_first_row_in_file_order(spark: SparkSession) -> None:
    ids = [(1, 0, 0), (0, 9, 0), (0, 0, 5), (0, 0, 4)]
    rows = spark.createDataFrame(
        [(*line_id, "raw", None, 7, f"text {index}", None) for index, line_id in enumerate(ids)],
        VALIDATED,
    )
    kept = mark_duplicates(rows, 3).where(F.col("status") == CLEAN).collect()
    assert [found["text"] for found in kept] == ["text 3"]


def test_mark_duplicates_keeps_the_last_row_in_file_order(spark: SparkSession) -> None:
    ids = [(1, 0, 0), (0, 9, 0), (1, 0, 2), (1, 0, 10), (0, 11, 0)]
    texts = ["a", "b", "b", "a", "c"]
    rows = spark.createDataFrame(
        [(*line_id, "raw", None, 7, text, None) for line_id, text in zip(ids, texts, strict=True)],
        VALIDATED,
    )
    marked = mark_duplicates(rows, 3, "last").collect()
    statuses = {(found["part"], found["block"], found["seq"]): found["status"] for found in marked}
    conflict = "conflicting_duplicate"
    assert [statuses[line_id] for line_id in ids] == [DUPLICATE, conflict, conflict, CLEAN, conflict]


def test_rejected_rows_number_the_lines_and_leave_out_headers(spark: SparkSession) -> None:
    validated = spark.createDataFrame(
        [
            (0, 0, 40, "invalid_sale_id", "header"),
            (0, 0, 42, "malformed_row", 'a "b"'),
            (0, 9, 7, CLEAN, "c"),
        ],
        "part int, block long, seq long, status string, text string",
    )
    blocks = spark.createDataFrame(
        [(0, 0, "part-00000.csv", 40, 100, 0)],
        "part int, block long, file string, first_seq long, part_start long, lines_before long",
    )
    assert [tuple(found) for found in rejected_rows(validated, blocks).collect()] == [
        (102, 'part-00000.csv,3,malformed_row,"a ""b"""')
    ]


def test_sanitize_line_truncates_and_replaces_what_is_not_text(spark: SparkSession) -> None:
    lines = spark.createDataFrame([(b"a\0b\xffc",), (b"x" * (MAX_LINE_BYTES + 1),)], "line binary")
    texts = [found[0] for found in lines.select(sanitize_line(F.col("line").cast("string"))).collect()]
    assert texts == ["a\ufffdb\ufffdc", "x" * MAX_LINE_BYTES]


def test_with_header_adds_one_header_per_partition(spark: SparkSession) -> None:
    rows = spark.range(6).repartition(2, "id").select(F.col("id").cast("string").alias("text"))
    texts = [found["text"] for found in with_header(rows, "head").collect()]
    assert sorted(text.removeprefix("head\n") for text in texts) == list("012345")
    assert sum(text.startswith("head\n") for text in texts) == 2
