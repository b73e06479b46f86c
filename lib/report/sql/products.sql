-- Products with the highest amounts. $1: number of products; $2: whether shop.products is this run's catalogue
SELECT
  a.product_id,
  p.name,
  p.category,
  a.total_sales::text AS sales,
  a.total_quantity::text AS quantity,
  a.total_amount::text AS amount,
  a.average_sale_amount::text AS average,
  (a.amount_share * 1000000)::bigint::text AS share,
  (a.cumulative_share * 1000000)::bigint::text AS cumulative_share
FROM shop.sales_aggregates a
LEFT JOIN shop.products p ON $2 AND p.product_id = a.product_id
WHERE a.level = 'product' AND a.amount_rank <= $1
ORDER BY a.amount_rank;
