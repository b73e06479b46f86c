"""Splits raw lines into fields, quoted or not."""

from __future__ import annotations

from functools import reduce
from operator import or_

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

COLUMNS = ("sale_id", "customer_id", "product_id", "quantity", "sale_date", "sale_amount", "region")
# Identifies a line, see clean.py.
LINE_ID = ("part", "block", "seq")

MAX_LINE_BYTES = 65_536
BLANKS = " \t\u00a0\u202f"


def split_fields(lines: DataFrame) -> DataFrame:
    """Splits `value` into `fields`: seven unquoted texts, or null when the row is malformed."""
    value, line, fields = F.col("value"), F.col("line"), F.col("fields")
    without_cr = F.substring(value.cast("binary"), 1, F.octet_length(value) - 1).cast("string")
    unterminated = lines.select(
        *LINE_ID, F.when(value.endswith("\r"), without_cr).otherwise(value).alias("line")
    )
    marked = unterminated.select(
        *LINE_ID,
        "line",
        is_blank().alias("blank"),
        line.contains('"').alias("has_quotes"),
        reduce(or_, [line.contains(blank) for blank in BLANKS]).alias("has_blanks"),
        (F.octet_length(line) > MAX_LINE_BYTES).alias("too_long"),
    )
    # Every second piece between quotes is quoted. Commas outside quotes become line feeds, which cannot occur
    # in a line.
    pieces = F.split(line, '"', -1)
    delimited = F.transform(
        pieces, lambda piece, i: F.when(i % 2 == 0, F.translate(piece, ",", "\n")).otherwise(piece)
    )
    quoted_fields = F.transform(F.split(F.array_join(delimited, '"'), "\n", -1), unquote)
    split = marked.select(
        *LINE_ID,
        "line",
        "blank",
        "has_quotes",
        "has_blanks",
        F.when(F.col("too_long"), None)
        .when(~F.col("has_quotes"), F.split(line, ",", -1))
        .when(F.size(pieces) % 2 == 1, quoted_fields)
        .alias("fields"),
    )
    is_well_formed = (F.size(fields) == len(COLUMNS)) & ~(
        F.col("has_quotes") & F.exists(fields, lambda field: field.isNull())
    )
    return split.select(
        *LINE_ID, "line", "blank", "has_blanks", F.when(is_well_formed, fields).alias("fields")
    )


def is_blank() -> Column:
    """Returns whether `line` consists of blanks only."""
    # TRIM also removes fragments of a multi-byte blank, hence the second condition. (F.ltrim logs a warning.)
    return (F.expr(f"trim(LEADING '{BLANKS}' FROM line)") == "") & F.is_valid_utf8("line")


def unquote(field: Column) -> Column:
    """Returns the value of a field; null when it contains a quote but is not properly quoted."""
    text = trim_blanks(field)
    inner = F.substring(text, F.lit(2), F.length(text) - 2)
    lone_quote = F.replace(inner, F.lit('""'), F.lit("")).contains('"')
    well_quoted = text.startswith('"') & text.endswith('"') & ~lone_quote
    return F.when(~field.contains('"'), field).when(well_quoted, F.replace(inner, F.lit('""'), F.lit('"')))


def trim_blanks(text: Column) -> Column:
    """Removes blanks from both ends."""
    return F.btrim(text, F.lit(BLANKS))
