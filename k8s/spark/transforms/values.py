"""Parses fields into numbers, dates, amounts and regions, in every accepted format."""

from __future__ import annotations

from functools import reduce
from operator import or_

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from transforms.fields import BLANKS, COLUMNS, LINE_ID, trim_blanks

# \z instead of $, because Java's $ also matches before a final \r.
DIGITS = r"\A[0-9]+\z"
QUANTITY = r"\A[0-9]+(?:\.0+)?\z"
AMOUNT = (
    rf"\A(?:₽[{BLANKS}]*)?"
    rf"(?:[0-9]+|[0-9]{{1,3}}(?:[{BLANKS}][0-9]{{3}})+)"
    r"(?:[.,][0-9]{1,2})?"
    rf"(?:[{BLANKS}]*(?:RUB|₽|руб\.|р\.))?\z"
)
TIME = "(?:[01][0-9]|2[0-3]):[0-5][0-9]"
SECONDS = ":[0-5][0-9]"
ISO_DATE = rf"\A[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}(?:T{TIME}{SECONDS}| {TIME}(?:{SECONDS})?)?\z"
DOTTED_DATE = rf"\A[0-9]{{2}}\.[0-9]{{2}}\.[0-9]{{4}}(?: {TIME}(?:{SECONDS})?)?\z"
SLASHED_DATE = r"\A[0-9]{4}/[0-9]{2}/[0-9]{2}\z"

REGIONS = {
    "North": ("north", "n", "север"),
    "South": ("south", "s", "юг"),
    "East": ("east", "e", "восток"),
    "West": ("west", "w", "запад"),
}


def parse_values(rows: DataFrame) -> DataFrame:
    """Parses `fields` into typed columns, null where a value is invalid.

    Most values are canonical, and comparing a value with its parsed form is faster than matching a pattern.
    The patterns alone would give the same result.
    """
    fields = [F.col("fields")[index] for index in range(len(COLUMNS))]
    texts = rows.select(
        *LINE_ID,
        "line",
        "blank",
        F.col("fields").isNull().alias("malformed"),
        *[
            F.when(F.col("has_blanks"), trim_blanks(field)).otherwise(field).alias(name)
            for name, field in zip(COLUMNS, fields, strict=True)
        ],
    )
    return texts.select(
        *LINE_ID,
        "line",
        "blank",
        "malformed",
        reduce(or_, [F.col(name) == "" for name in COLUMNS]).alias("missing"),
        parse_integer("sale_id", DIGITS, "bigint"),
        parse_integer("customer_id", DIGITS, "bigint"),
        parse_integer("product_id", DIGITS, "bigint"),
        parse_integer("quantity", QUANTITY, "int"),
        parse_date(F.col("sale_date")).alias("sale_date"),
        parse_amount(F.col("sale_amount")).alias("sale_amount"),
        parse_region(F.col("region")).alias("region"),
    )


def parse_integer(name: str, pattern: str, data_type: str) -> Column:
    """Parses a number from 1 to the maximum of its type; QUANTITY allows only zeros after a point."""
    text = F.col(name)
    number = F.substring_index(text, ".", 1).try_cast(data_type)
    is_number = (number.cast("string") == text) | text.rlike(pattern)
    return F.when(is_number & (number >= 1), number).alias(name)


def parse_amount(text: Column) -> Column:
    """Parses an amount above zero in roubles, with two decimals."""
    has_two_symbols = text.startswith("₽") & text.rlike(r"(?:₽|RUB|\.)\z")
    number = F.regexp_replace(text, r"(?:руб|р)\.\z", "")
    stripped = F.translate(number, ",₽RUB" + BLANKS, ".").try_cast("decimal(14,2)")
    plain = text.try_cast("decimal(14,2)")
    amount = F.when(plain.cast("string") == text, plain).when(text.rlike(AMOUNT) & ~has_two_symbols, stripped)
    return F.when(amount > 0, amount)


def parse_date(text: Column) -> Column:
    """Parses a date of the years 1 to 9999 in one of the accepted formats."""
    iso = (
        F.when(text.rlike(ISO_DATE), F.substring(text, 1, 10))
        .when(text.rlike(SLASHED_DATE), F.translate(text, "/", "-"))
        .when(
            text.rlike(DOTTED_DATE),
            F.concat_ws("-", F.substring(text, 7, 4), F.substring(text, 4, 2), F.substring(text, 1, 2)),
        )
    )
    return F.when(iso >= "0001", iso.try_cast("date"))


def parse_region(text: Column) -> Column:
    """Parses a region in any accepted spelling into its English name."""
    lower = F.lower(text)
    names = [F.when(lower.isin(*spellings), F.lit(name)) for name, spellings in REGIONS.items()]
    return F.when(text.isin(*REGIONS), text).otherwise(F.coalesce(*names))
