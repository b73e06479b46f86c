-- Readers are never blocked, and see the old rows until the commit.
DELETE FROM shop.sales_aggregates;
INSERT INTO shop.sales_aggregates (
  level, region, product_id, total_sales, total_quantity, total_amount,
  average_sale_amount, amount_share, amount_rank, cumulative_share, run_id
)
SELECT
  level, region, product_id, total_sales, total_quantity, total_amount,
  average_sale_amount, amount_share, amount_rank, cumulative_share, run_id
FROM shop.{staging}
ORDER BY level, region, amount_rank
