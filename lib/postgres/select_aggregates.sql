-- Sorted by ClickHouse's key, like lib/verify/clickhouse_aggregates.sql, which reads the same columns there.
SELECT
  level,
  region,
  product_id,
  total_sales,
  total_quantity,
  total_amount,
  average_sale_amount,
  amount_share,
  amount_rank,
  cumulative_share,
  run_id
FROM shop.sales_aggregates
ORDER BY level COLLATE "C", region COLLATE "C", product_id
