-- The cumulative share curve in about 200 points: the top 20 products, every n-th one after them, and the last.
WITH products AS (
  SELECT amount_rank, cumulative_share, count(*) OVER () AS products
  FROM shop.sales_aggregates
  WHERE level = 'product'
)
SELECT
  amount_rank AS rank,
  (cumulative_share * 1000000)::bigint::text AS cumulative_share
FROM products
WHERE amount_rank <= 20 OR amount_rank = products OR amount_rank % greatest(1, products / 200) = 0
ORDER BY amount_rank;
