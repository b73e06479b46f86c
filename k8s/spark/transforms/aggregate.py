"""Aggregates sales into the rows of shop.sales_aggregates, by docs/data_contract.md, in whole kopecks."""

from __future__ import annotations

from decimal import Decimal

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

AGGREGATE_COLUMNS = (
    "level",
    "region",
    "product_id",
    "total_sales",
    "total_quantity",
    "total_amount",
    "average_sale_amount",
    "amount_share",
    "amount_rank",
    "cumulative_share",
    "run_id",
)
SHARE_SCALE = 1_000_000


def aggregate(sales: DataFrame, run_id: str) -> DataFrame:
    """Computes the aggregates from `region`, `product_id`, `quantity` and `sale_amount`."""
    return aggregate_groups(group_by_region_product(sales), run_id)


def aggregate_groups(groups: DataFrame, run_id: str) -> DataFrame:
    """Computes the aggregates from the counts and sums of `group_by_region_product`."""
    return rank(roll_up(groups)).select(
        "level",
        "region",
        "product_id",
        "total_sales",
        "total_quantity",
        (F.col("cents") * F.lit(Decimal("0.01"))).cast("decimal(18,2)").alias("total_amount"),
        (rounded_ratio("cents", 1, "total_sales") * F.lit(Decimal("0.01")))
        .cast("decimal(14,2)")
        .alias("average_sale_amount"),
        share("cents", "all_cents").alias("amount_share"),
        F.col("amount_rank").cast("int").alias("amount_rank"),
        share("running_cents", "window_cents").alias("cumulative_share"),
        F.lit(run_id).alias("run_id"),
    )


def group_by_region_product(sales: DataFrame) -> DataFrame:
    """Counts and sums sales per region and product; `cents` are whole numbers."""
    return sales.groupBy("region", "product_id").agg(
        F.count(F.lit(1)).alias("sales"),
        F.sum("quantity").alias("quantity"),
        F.sum((F.col("sale_amount") * 100).cast("decimal(14,0)")).alias("cents"),
    )


def roll_up(groups: DataFrame) -> DataFrame:
    """Sums up the groups at the four levels."""
    every_region, every_product = F.grouping("region") == 1, F.grouping("product_id") == 1
    return (
        groups.cube("region", "product_id")
        .agg(
            F.when(every_region & every_product, "total")
            .when(every_product, "region")
            .when(every_region, "product")
            .otherwise("region_product")
            .alias("level"),
            F.sum("sales").alias("total_sales"),
            F.sum("quantity").alias("total_quantity"),
            F.sum("cents").cast("decimal(18,0)").alias("cents"),
        )
        .select(
            "level",
            F.coalesce("region", F.lit("All")).alias("region"),
            F.coalesce("product_id", F.lit(0)).alias("product_id"),
            "total_sales",
            "total_quantity",
            "cents",
        )
    )


def rank(totals: DataFrame) -> DataFrame:
    """Adds rank, running sum and total of each window, and the grand total."""
    rows = totals.withColumn(
        "window", F.concat_ws("/", "level", F.when(F.col("level") == "region_product", F.col("region")))
    )
    window = Window.partitionBy("window")
    ordered = window.orderBy(F.desc("cents"), "region", "product_id")
    grand_total = totals.where(F.col("level") == "total").select(F.col("cents").alias("all_cents"))
    return rows.select(
        "*",
        F.row_number().over(ordered).alias("amount_rank"),
        F.sum("cents")
        .over(ordered.rowsBetween(Window.unboundedPreceding, Window.currentRow))
        .alias("running_cents"),
        F.sum("cents").over(window).alias("window_cents"),
    ).crossJoin(F.broadcast(grand_total))


def share(part: str, whole: str) -> Column:
    """Returns part / whole, rounded half up to six decimals."""
    return (rounded_ratio(part, SHARE_SCALE, whole) * F.lit(Decimal(1) / SHARE_SCALE)).cast("decimal(9,6)")


def rounded_ratio(numerator: str, scale: int, denominator: str) -> Column:
    """Returns numerator · scale / denominator, rounded half up in integers: div(2·a·scale + b, 2·b)."""
    a = F.col(numerator).cast("decimal(20,0)")
    b = F.col(denominator).cast("decimal(20,0)")
    doubled = a * F.lit(Decimal(2 * scale)) + b
    return F.call_function("div", doubled, b * F.lit(Decimal(2))).cast("decimal(20,0)")
