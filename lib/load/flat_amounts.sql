-- Sales whose amount is not above that of the fewest pieces of the same product; and what would be missing if all amounts were prices.
WITH fewest AS (
  SELECT product_id, quantity, max(sale_amount) AS amount,
    row_number() OVER (PARTITION BY product_id ORDER BY quantity) AS nth
  FROM shop.sales GROUP BY product_id, quantity
)
SELECT count(*)::text AS rows, count(*) FILTER (WHERE s.sale_amount <= f.amount)::text AS flat,
  (SELECT coalesce(sum(sale_amount * (quantity - 1)), 0)::numeric(38, 2)::text FROM shop.sales) AS missing
FROM shop.sales s JOIN fewest f ON f.product_id = s.product_id AND f.nth = 1
WHERE s.quantity > f.quantity
