"""Fields to values: numbers, days, amounts and regions in every spelling that is accepted."""

from __future__ import annotations

from functools import reduce
from operator import or_

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from transforms.fields import BLANKS, COLUMNS, PLACE, trimmed

# \z and not $, because Java's $ matches before a last \r too.
DIGITS = r"\A[0-9]+\z"
QUANTITY = r"\A[0-9]+(?:\.0+)?\z"
AMOUNT = (
    rf"\A(?:₽[{BLANKS}]*)?"
    rf"(?:[0-9]+|[0-9]{{1,3}}(?:[{BLANKS}][0-9]{{3}})+)"
    r"(?:[.,][0-9]{1,2})?"
    rf"(?:[{BLANKS}]*(?:RUB|₽))?\z"
)
ISO_DATE = r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ](?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9])?\z"
POINT_DATE = r"\A[0-9]{2}\.[0-9]{2}\.[0-9]{4}\z"
SLASH_DATE = r"\A[0-9]{4}/[0-9]{2}/[0-9]{2}\z"

REGIONS = {
    "North": ("north", "n", "север"),
    "South": ("south", "s", "юг"),
    "East": ("east", "e", "восток"),
    "West": ("west", "w", "запад"),
}


def read_values(rows: DataFrame) -> DataFrame:
    """Reads `fields` into typed columns, null where a value breaks its rule.

    Most values are canonical, and comparing them with what they mean is faster than a pattern; the patterns
    alone would give the same.
    """
    fields = [F.col("fields")[index] for index in range(len(COLUMNS))]
    texts = rows.select(
        *PLACE,
        "line",
        "blank",
        F.col("fields").isNull().alias("malformed"),
        *[
            F.when(F.col("spaced"), trimmed(field)).otherwise(field).alias(name)
            for name, field in zip(COLUMNS, fields, strict=True)
        ],
    )
    return texts.select(
        *PLACE,
        "line",
        "blank",
        "malformed",
        reduce(or_, [F.col(name) == "" for name in COLUMNS]).alias("missing"),
        whole_number("sale_id", DIGITS, "bigint"),
        whole_number("customer_id", DIGITS, "bigint"),
        whole_number("product_id", DIGITS, "int"),
        whole_number("quantity", QUANTITY, "int"),
        sale_date(F.col("sale_date")).alias("sale_date"),
        sale_amount(F.col("sale_amount")).alias("sale_amount"),
        region(F.col("region")).alias("region"),
    )


def whole_number(name: str, pattern: str, data_type: str) -> Column:
    """A number from 1 to the largest of its type; what follows a point has been seen to be zeros."""
    text = F.col(name)
    number = F.substring_index(text, ".", 1).try_cast(data_type)
    is_number = (number.cast("string") == text) | text.rlike(pattern)
    return F.when(is_number & (number >= 1), number).alias(name)


def sale_amount(text: Column) -> Column:
    """Roubles with two decimals, above zero."""
    two_marks = text.startswith("₽") & (text.endswith("₽") | text.endswith("RUB"))
    bare = F.translate(text, ",₽RUB" + BLANKS, ".").try_cast("decimal(14,2)")
    plain = text.try_cast("decimal(14,2)")
    amount = F.when(plain.cast("string") == text, plain).when(text.rlike(AMOUNT) & ~two_marks, bare)
    return F.when(amount > 0, amount)


def sale_date(text: Column) -> Column:
    """A day of the years 1 to 9999 in one of the five forms."""
    iso = (
        F.when(text.rlike(ISO_DATE), F.substring(text, 1, 10))
        .when(text.rlike(SLASH_DATE), F.translate(text, "/", "-"))
        .when(
            text.rlike(POINT_DATE),
            F.concat_ws("-", F.substring(text, 7, 4), F.substring(text, 4, 2), F.substring(text, 1, 2)),
        )
    )
    return F.when(iso >= "0001", iso.try_cast("date"))


def region(text: Column) -> Column:
    """The English name of a region."""
    lower = F.lower(text)
    names = [F.when(lower.isin(*spellings), F.lit(name)) for name, spellings in REGIONS.items()]
    return F.when(text.isin(*REGIONS), text).otherwise(F.coalesce(*names))
