-- The same columns and order as lib/postgres/select_aggregates.sql.
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
WHERE import_date = {import_date:Date}
ORDER BY level, region, product_id
