-- Number of products, and of the top products that make up 50%, 80% and 95% of the amount.
SELECT
  count(*)::text AS products,
  (min(amount_rank) FILTER (WHERE cumulative_share >= 0.5))::text AS half,
  (min(amount_rank) FILTER (WHERE cumulative_share >= 0.8))::text AS four_fifths,
  (min(amount_rank) FILTER (WHERE cumulative_share >= 0.95))::text AS nearly_all
FROM shop.sales_aggregates
WHERE level = 'product';
