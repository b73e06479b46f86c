-- The first sales that differ between the clean parts, copied into a temporary table, and shop.sales.
SELECT 'sale_id ' || sale_id AS place, c::text AS clean, s::text AS stored
FROM pg_temp.salesflow_clean c
FULL JOIN (
  SELECT sale_id, customer_id, product_id, quantity, sale_date, sale_amount, region FROM shop.sales
) s USING (sale_id)
WHERE (c.customer_id, c.product_id, c.quantity, c.sale_date, c.sale_amount, c.region)
  IS DISTINCT FROM (s.customer_id, s.product_id, s.quantity, s.sale_date, s.sale_amount, s.region)
ORDER BY sale_id
LIMIT $1
