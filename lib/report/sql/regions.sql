-- The total, and the regions by amount, descending.
SELECT
  level,
  region,
  total_sales::text AS sales,
  total_quantity::text AS quantity,
  total_amount::text AS amount,
  average_sale_amount::text AS average,
  (amount_share * 1000000)::bigint::text AS share
FROM shop.sales_aggregates
WHERE level IN ('total', 'region')
ORDER BY level, amount_rank;
