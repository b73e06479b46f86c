-- product_id becomes a 64-bit number. The type of a column of the sorting key cannot be changed, so the rows are copied to a
-- new table, which takes the old one's place in one step: readers see all rows at any time.
-- Fine to be interrupted and run again: each run begins with a new copy of the table that is in place, old or new.

DROP TABLE IF EXISTS shop.sales_aggregates_copy SYNC;

CREATE TABLE shop.sales_aggregates_copy (
  import_date Date,
  level LowCardinality(String),
  region LowCardinality(String),
  product_id Int64,
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

-- By default, an INSERT may fill at most 100 partitions: two years of weekly imports.
INSERT INTO shop.sales_aggregates_copy SELECT * FROM shop.sales_aggregates SETTINGS max_partitions_per_insert_block = 0;

EXCHANGE TABLES shop.sales_aggregates AND shop.sales_aggregates_copy;

DROP TABLE shop.sales_aggregates_copy SYNC;

-- Without a partition key all rows are one partition, which ALTER TABLE … REPLACE PARTITION tuple() replaces at once.
CREATE TABLE IF NOT EXISTS shop.products (
  product_id Int64,
  sku Nullable(String) COMMENT 'The product''s identifier as it stood in the export; NULL for generated sales',
  name String,
  category String,
  price_from Nullable(Decimal(14, 2)),
  price_to Nullable(Decimal(14, 2))
)
ENGINE = MergeTree
ORDER BY product_id
COMMENT 'Product catalogue of the last transferred run that had one';
