"""Raw lines to clean and rejected rows, by the rules of docs/data_contract.md.

A line is known by its place: `part` (the raw part's position in the manifest), `block` (byte offset of the
split it was read from) and `seq` (a number that grows inside a split). Places are ordered as the file is,
however it is split.
"""

from __future__ import annotations

from datetime import date, timedelta

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from transforms.fields import COLUMNS, MAX_LINE_BYTES, PLACE, split_fields
from transforms.values import read_values

HEADER = ",".join(COLUMNS)
REJECTED_HEADER = "file,line,reason,raw"

DATE_RANGE_DAYS = 364

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


def judge(lines: DataFrame, accepted: tuple[date, date] | None, partitions: int) -> DataFrame:
    """Judges every line: `outcome` is a reason, BLANK, CLEAN or DUPLICATE.

    `lines` has PLACE and `value`. The result has PLACE, `outcome` and `text`: the canonical row of a clean
    line, the raw line of a rejected one. Clean rows lie in `partitions` partitions by sale_id, sorted by it.
    """
    return judge_duplicates(apply_rules(read_values(split_fields(lines)), accepted), partitions)


def accepted_dates(as_of: date) -> tuple[date, date]:
    """First and last accepted sale_date, both included."""
    return as_of - timedelta(days=DATE_RANGE_DAYS), as_of


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
