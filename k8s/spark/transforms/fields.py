"""Raw lines to fields: what one line holds, with and without quotes."""

from __future__ import annotations

from functools import reduce
from operator import or_

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

COLUMNS = ("sale_id", "customer_id", "product_id", "quantity", "sale_date", "sale_amount", "region")
# What a line is known by, see clean.py.
PLACE = ("part", "block", "seq")

MAX_LINE_BYTES = 65_536
BLANKS = " \t\u00a0\u202f"


def split_fields(lines: DataFrame) -> DataFrame:
    """Splits `value` into `fields`: seven texts without their quotes, or null when the row is malformed."""
    value, line, fields = F.col("value"), F.col("line"), F.col("fields")
    without_cr = F.substring(value.cast("binary"), 1, F.octet_length(value) - 1).cast("string")
    whole = lines.select(*PLACE, F.when(value.endswith("\r"), without_cr).otherwise(value).alias("line"))
    marked = whole.select(
        *PLACE,
        "line",
        is_blank().alias("blank"),
        line.contains('"').alias("quoted"),
        reduce(or_, [line.contains(blank) for blank in BLANKS]).alias("spaced"),
        (F.octet_length(line) > MAX_LINE_BYTES).alias("too_long"),
    )
    # Every second piece between quotes is inside. A line feed cannot occur in a line, so it can stand for the
    # commas outside.
    pieces = F.split(line, '"', -1)
    opened = F.transform(
        pieces, lambda piece, i: F.when(i % 2 == 0, F.translate(piece, ",", "\n")).otherwise(piece)
    )
    quoted_fields = F.transform(F.split(F.array_join(opened, '"'), "\n", -1), unquote)
    split = marked.select(
        *PLACE,
        "line",
        "blank",
        "quoted",
        "spaced",
        F.when(F.col("too_long"), None)
        .when(~F.col("quoted"), F.split(line, ",", -1))
        .when(F.size(pieces) % 2 == 1, quoted_fields)
        .alias("fields"),
    )
    whole_row = (F.size(fields) == len(COLUMNS)) & ~(
        F.col("quoted") & F.exists(fields, lambda field: field.isNull())
    )
    return split.select(*PLACE, "line", "blank", "spaced", F.when(whole_row, fields).alias("fields"))


def is_blank() -> Column:
    """Whether `line` holds nothing but blanks."""
    # Trimming takes a broken part of a blank for a blank, too. (The function form of TRIM logs a warning.)
    return (F.expr(f"trim(LEADING '{BLANKS}' FROM line)") == "") & F.is_valid_utf8("line")


def unquote(field: Column) -> Column:
    """The value of a field; null when it holds a quote and is not wholly quoted."""
    text = trimmed(field)
    inner = F.substring(text, F.lit(2), F.length(text) - 2)
    lone_quote = F.replace(inner, F.lit('""'), F.lit("")).contains('"')
    well_quoted = text.startswith('"') & text.endswith('"') & ~lone_quote
    return F.when(~field.contains('"'), field).when(well_quoted, F.replace(inner, F.lit('""'), F.lit('"')))


def trimmed(text: Column) -> Column:
    """The text without blanks around it."""
    return F.btrim(text, F.lit(BLANKS))
