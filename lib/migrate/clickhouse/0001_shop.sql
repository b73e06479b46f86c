-- Aggregates by import date. A second import of a date replaces that date's partition.
-- ClickHouse has no transactions for this: every statement of a migration must be fine when it is run again.

CREATE TABLE IF NOT EXISTS shop.sales_aggregates (
  import_date Date,
  level LowCardinality(String),
  region LowCardinality(String),
  product_id Int32,
  total_sales Int64,
  total_quantity Int64,
  total_amount Decimal(18, 2),
  average_sale_amount Decimal(14, 2),
  amount_share Decimal(9, 6),
  amount_rank Int32,
  cumulative_share Decimal(9, 6),
  run_id String,
  imported_at DateTime64(3, 'UTC')
)
ENGINE = MergeTree
PARTITION BY import_date
ORDER BY (level, region, product_id)
COMMENT 'Sales aggregates moved from PostgreSQL, one partition for each import date';
