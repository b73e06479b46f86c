"""Splitting of raw lines into fields."""

from __future__ import annotations

import pytest
from pyspark.sql import SparkSession

from transforms.fields import MAX_LINE_BYTES, split_fields

FIELDS = {
    "1,2,3,4,5,6,7": ["1", "2", "3", "4", "5", "6", "7"],
    "1,2,3,4,5,6,7\r": ["1", "2", "3", "4", "5", "6", "7"],
    ",,,,,,": [""] * 7,
    '"1","a,b","c ""d""",4,5,6,""': ["1", "a,b", 'c "d"', "4", "5", "6", ""],
    ' "1" ,2,3,4,5,6,7': ["1", "2", "3", "4", "5", "6", "7"],
    "1,2,3,4,5,6": None,
    "1,2,3,4,5,6,7,8": None,
    '"1,2,3,4,5,6,7': None,
    'x"1",2,3,4,5,6,7': None,
    '1,2,3,4,5,6,"a"b"': None,
    "1,2,3,4,5,6," + "x" * MAX_LINE_BYTES: None,
}
BLANK_LINES = {"": True, " \t\u00a0\u202f\r": True, "x": False, '""': False}


@pytest.fixture
def split(spark: SparkSession):
    """Splits lines and returns one column."""

    def act(lines: list[str], column: str) -> list:
        rows = [(0, 0, seq, line) for seq, line in enumerate(lines)]
        frame = spark.createDataFrame(rows, "part int, block long, seq long, value string")
        return [row[column] for row in split_fields(frame).orderBy("seq").collect()]

    return act


def test_split_fields_unquotes_or_rejects(split) -> None:
    assert split(list(FIELDS), "fields") == list(FIELDS.values())


def test_split_fields_marks_blank_lines(split) -> None:
    assert split(list(BLANK_LINES), "blank") == list(BLANK_LINES.values())


def test_split_fields_removes_one_carriage_return(split) -> None:
    assert split(["x\r", "x\r\r"], "line") == ["x", "x\r"]
