"""Raw lines to clean and rejected rows, by the rules of docs/data_contract.md.

A line is known by its place: `part` (the raw part's position in the manifest), `block` (byte offset of the
split it was read from) and `seq` (a number that grows inside a split). Places are ordered as the file is,
however it is split.
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import reduce
from operator import or_

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

COLUMNS = ("sale_id", "customer_id", "product_id", "quantity", "sale_date", "sale_amount", "region")
HEADER = ",".join(COLUMNS)
REJECTED_HEADER = "file,line,reason,raw"
PLACE = ("part", "block", "seq")

MAX_LINE_BYTES = 65_536
DATE_RANGE_DAYS = 364
BLANKS = " \t\u00a0\u202f"

# In the order in which the rules are tried.
REASONS = (
    "malformed_row",
    "missing_value",
    "invalid_sale_id",
    "invalid_customer_id",
    "invalid_product_id",
    "invalid_quantity",
    "invalid_amount",
    "invalid_date",
    "date_out_of_range",
    "unknown_region",
    "conflicting_duplicate",
)
# What becomes of a line that is not rejected.
BLANK = "blank"
CLEAN = "clean"
DUPLICATE = "duplicate"
# A header line breaks this rule: it is judged like any line, and left out once line numbers are known.
HEADER_OUTCOME = "invalid_sale_id"

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


def judge(lines: DataFrame, accepted: tuple[date, date] | None, partitions: int) -> DataFrame:
    """Judges every line: `outcome` is a reason, BLANK, CLEAN or DUPLICATE.

    `lines` has PLACE and `value`. The result has PLACE, `outcome` and `text`: the canonical row of a clean
    line, the raw line of a rejected one. Clean rows lie in `partitions` partitions by sale_id, sorted by it.
    """
    return judge_duplicates(apply_rules(read_values(split_fields(lines)), accepted), partitions)


def accepted_dates(as_of: date) -> tuple[date, date]:
    """First and last accepted sale_date, both included."""
    return as_of - timedelta(days=DATE_RANGE_DAYS), as_of


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


def apply_rules(rows: DataFrame, accepted: tuple[date, date] | None) -> DataFrame:
    """Gives each line the reason of the first rule that it breaks, or a canonical text."""
    day = F.col("sale_date")
    out_of_range = F.lit(False) if accepted is None else ~day.between(F.lit(accepted[0]), F.lit(accepted[1]))
    reason = (
        F.when(F.col("blank"), BLANK)
        .when(F.col("malformed"), "malformed_row")
        .when(F.col("missing"), "missing_value")
        .when(F.col("sale_id").isNull(), "invalid_sale_id")
        .when(F.col("customer_id").isNull(), "invalid_customer_id")
        .when(F.col("product_id").isNull(), "invalid_product_id")
        .when(F.col("quantity").isNull(), "invalid_quantity")
        .when(F.col("sale_amount").isNull(), "invalid_amount")
        .when(day.isNull(), "invalid_date")
        .when(out_of_range, "date_out_of_range")
        .when(F.col("region").isNull(), "unknown_region")
    )
    canonical = F.concat_ws(",", *[F.col(name).cast("string") for name in COLUMNS])
    ruled = rows.select(*PLACE, "line", "sale_id", reason.alias("reason"), canonical.alias("canonical"))
    # Lines without a valid row are spread by a negative number of their own, which no sale_id can be.
    key = F.when(F.col("reason").isNull(), F.col("sale_id")).otherwise(-1 - F.col("seq"))
    return ruled.select(
        *PLACE,
        "line",
        "reason",
        key.alias("key"),
        F.when(F.col("reason").isNull(), F.col("canonical")).alias("canonical"),
    )


def judge_duplicates(rows: DataFrame, partitions: int) -> DataFrame:
    """Keeps the first valid row of each sale_id; canonical texts are equal when the values are."""
    in_file_order = Window.partitionBy("key").orderBy(*PLACE)
    first = in_file_order.rowsBetween(Window.unboundedPreceding, Window.currentRow)
    ranked = rows.repartition(partitions, "key").select(
        "*",
        F.row_number().over(in_file_order).alias("nth"),
        F.first("canonical").over(first).alias("first_canonical"),
    )
    outcome = (
        F.when(F.col("reason").isNotNull(), F.col("reason"))
        .when(F.col("nth") == 1, CLEAN)
        .when(F.col("canonical") == F.col("first_canonical"), DUPLICATE)
        .otherwise("conflicting_duplicate")
    )
    judged = ranked.select(*PLACE, "line", "canonical", outcome.alias("outcome"))
    text = F.when(F.col("outcome") == CLEAN, F.col("canonical")).when(
        F.col("outcome").isin(*REASONS), readable(F.col("line"))
    )
    return judged.select(*PLACE, "outcome", text.alias("text"))


def readable(line: Column) -> Column:
    """A raw line as valid UTF-8 without NUL, cut to MAX_LINE_BYTES."""
    cut = F.substring(line.cast("binary"), 1, MAX_LINE_BYTES).cast("string")
    short = F.when(F.octet_length(line) > MAX_LINE_BYTES, cut).otherwise(line)
    return F.replace(F.make_valid_utf8(short), F.lit("\0"), F.lit("\ufffd"))


def count_outcomes(judged: DataFrame) -> DataFrame:
    """Lines of each split by outcome, and the smallest `seq` among them."""
    return judged.groupBy("part", "block", "outcome").agg(
        F.count(F.lit(1)).alias("lines"), F.min("seq").alias("first_seq")
    )


def clean_rows(judged: DataFrame) -> DataFrame:
    """The canonical rows, as `text`."""
    return judged.where(F.col("outcome") == CLEAN).select("text")


def rejected_rows(judged: DataFrame, blocks: DataFrame) -> DataFrame:
    """The rejected lines as `text`, a row of `file,line,reason,raw`, with their `position`.

    Positions count the lines of all parts from 0. `blocks` has `part`, `block`, `file`, `first_seq`,
    `part_start` (position of the part's first line) and `lines_before` (in the part, before the split).
    """
    placed = judged.where(F.col("outcome").isin(*REASONS)).join(F.broadcast(blocks), ["part", "block"])
    line_number = F.col("seq") - F.col("first_seq") + F.col("lines_before") + 1
    raw = F.concat(F.lit('"'), F.replace("text", F.lit('"'), F.lit('""')), F.lit('"'))
    rows = placed.select("file", line_number.alias("line"), "outcome", raw.alias("raw"), "part_start")
    return rows.where(F.col("line") > 1).select(
        (F.col("part_start") + F.col("line") - 1).alias("position"),
        F.concat_ws(",", "file", F.col("line").cast("string"), "outcome", "raw").alias("text"),
    )


def with_header(rows: DataFrame, header: str) -> DataFrame:
    """Puts the header line before the first `text` of every partition; the last step before writing."""
    # The lower 33 bits of this number count the rows of the partition.
    is_first = F.monotonically_increasing_id().bitwiseAND(F.lit((1 << 33) - 1)) == 0
    return rows.select(
        F.when(is_first, F.concat(F.lit(header + "\n"), "text")).otherwise(F.col("text")).alias("text")
    )
