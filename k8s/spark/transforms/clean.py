"""Validates and deduplicates raw lines, by the rules of docs/data_contract.md.

A line is identified by `part` (index of the raw part in the manifest), `block` (byte offset of the split that
it was read from) and `seq` (a number that increases within a split). Sorted by these, lines are in file
order, however the parts are split.
"""

from __future__ import annotations

from datetime import date, timedelta

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from transforms.fields import COLUMNS, LINE_ID, MAX_LINE_BYTES, split_fields
from transforms.values import parse_values

HEADER = ",".join(COLUMNS)
REJECTED_HEADER = "file,line,reason,raw"

DATE_RANGE_DAYS = 364

# In the order in which the rules are applied.
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
# Status of lines that are not rejected.
BLANK = "blank"
CLEAN = "clean"
DUPLICATE = "duplicate"
# Status of header lines: they are validated like any line, and removed once line numbers are known.
HEADER_STATUS = "invalid_sale_id"


def validate(
    lines: DataFrame, accepted: tuple[date, date] | None, partitions: int, on_conflict: str = "first"
) -> DataFrame:
    """Validates every line: `status` is a reason, BLANK, CLEAN or DUPLICATE.

    `lines` has LINE_ID and `value`. The result has LINE_ID, `status`, `text`, which is the canonical row of a
    clean line, the raw line of a rejected one, and `amount`, that of a rejected line if it is valid. Clean
    rows are in `partitions` partitions by sale_id, sorted by it. `on_conflict` (first or last) says which
    valid row of a sale_id stays.
    """
    return mark_duplicates(apply_rules(parse_values(split_fields(lines)), accepted), partitions, on_conflict)


def accepted_dates(as_of: date) -> tuple[date, date]:
    """Returns the first and the last accepted sale_date, inclusive."""
    return as_of - timedelta(days=DATE_RANGE_DAYS), as_of


def apply_rules(rows: DataFrame, accepted: tuple[date, date] | None) -> DataFrame:
    """Adds the reason of the first rule that a line breaks, or else its canonical row."""
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
    checked = rows.select(
        *LINE_ID, "line", "sale_id", "sale_amount", reason.alias("reason"), canonical.alias("canonical")
    )
    # Lines that are blank or rejected are spread evenly by a negative key, which cannot be a sale_id.
    key = F.when(F.col("reason").isNull(), F.col("sale_id")).otherwise(-1 - F.col("seq"))
    return checked.select(
        *LINE_ID,
        "line",
        "reason",
        key.alias("key"),
        F.when(F.col("reason").isNull(), F.col("canonical")).alias("canonical"),
        "sale_amount",
    )


def mark_duplicates(rows: DataFrame, partitions: int, on_conflict: str = "first") -> DataFrame:
    """Marks all but the first valid row of each sale_id, or all but the last.

    Rows are equal when their canonical texts are.
    """
    order = [F.col(name).asc() if on_conflict == "first" else F.col(name).desc() for name in LINE_ID]
    from_kept = Window.partitionBy("key").orderBy(*order)
    kept = from_kept.rowsBetween(Window.unboundedPreceding, Window.currentRow)
    ranked = rows.repartition(partitions, "key").select(
        "*",
        F.row_number().over(from_kept).alias("nth"),
        F.first("canonical").over(kept).alias("kept_canonical"),
    )
    status = (
        F.when(F.col("reason").isNotNull(), F.col("reason"))
        .when(F.col("nth") == 1, CLEAN)
        .when(F.col("canonical") == F.col("kept_canonical"), DUPLICATE)
        .otherwise("conflicting_duplicate")
    )
    validated = ranked.select(*LINE_ID, "line", "canonical", "sale_amount", status.alias("status"))
    text = F.when(F.col("status") == CLEAN, F.col("canonical")).when(
        F.col("status").isin(*REASONS), sanitize_line(F.col("line"))
    )
    amount = F.when(F.col("status").isin(*REASONS), F.col("sale_amount"))
    return validated.select(*LINE_ID, "status", text.alias("text"), amount.alias("amount"))


def sanitize_line(line: Column) -> Column:
    """Returns a raw line as valid UTF-8 without NUL, truncated to MAX_LINE_BYTES."""
    truncated = F.substring(line.cast("binary"), 1, MAX_LINE_BYTES).cast("string")
    limited = F.when(F.octet_length(line) > MAX_LINE_BYTES, truncated).otherwise(line)
    return F.replace(F.make_valid_utf8(limited), F.lit("\0"), F.lit("\ufffd"))


def count_statuses(validated: DataFrame) -> DataFrame:
    """Counts the lines of each split by status, and finds their smallest `seq`.

    `amounts` counts the rejected lines with a valid amount, `amount` is its sum or null.
    """
    return validated.groupBy("part", "block", "status").agg(
        F.count(F.lit(1)).alias("lines"),
        F.min("seq").alias("first_seq"),
        F.count("amount").alias("amounts"),
        F.sum("amount").alias("amount"),
    )


def clean_rows(validated: DataFrame) -> DataFrame:
    """Returns the canonical rows as `text`."""
    return validated.where(F.col("status") == CLEAN).select("text")


def rejected_rows(validated: DataFrame, blocks: DataFrame) -> DataFrame:
    """Returns the rejected lines as `text`, a row of `file,line,reason,raw`, with their `position`.

    Positions count the lines of all parts from 0. `blocks` has `part`, `block`, `file`, `first_seq`,
    `part_start` (position of the part's first line) and `lines_before` (in the part, before the split).
    """
    rejected = validated.where(F.col("status").isin(*REASONS)).join(F.broadcast(blocks), ["part", "block"])
    line_number = F.col("seq") - F.col("first_seq") + F.col("lines_before") + 1
    raw = F.concat(F.lit('"'), F.replace("text", F.lit('"'), F.lit('""')), F.lit('"'))
    rows = rejected.select("file", line_number.alias("line"), "status", raw.alias("raw"), "part_start")
    return rows.where(F.col("line") > 1).select(
        (F.col("part_start") + F.col("line") - 1).alias("position"),
        F.concat_ws(",", "file", F.col("line").cast("string"), "status", "raw").alias("text"),
    )


def with_header(rows: DataFrame, header: str) -> DataFrame:
    """Prepends the header to the first `text` of every partition. Must be the last step before writing."""
    # The lower 33 bits of this id number the rows within the partition.
    is_first = F.monotonically_increasing_id().bitwiseAND(F.lit((1 << 33) - 1)) == 0
    return rows.select(
        F.when(is_first, F.concat(F.lit(header + "\n"), "text")).otherwise(F.col("text")).alias("text")
    )
