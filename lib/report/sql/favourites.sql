-- Products with a higher share of a region's amount than of the total amount, among the top products of the region.
-- lift is the quotient of the two shares. $1: favourites of each region; $2: top products to choose from;
-- $3: whether shop.products is this run's catalogue
WITH compared AS (
  SELECT
    rp.region,
    rp.product_id,
    rp.total_amount,
    rp.total_amount * t.total_amount / (r.total_amount * p.total_amount) AS lift
  FROM shop.sales_aggregates rp
  JOIN shop.sales_aggregates r ON r.level = 'region' AND r.region = rp.region
  JOIN shop.sales_aggregates p ON p.level = 'product' AND p.product_id = rp.product_id
  JOIN shop.sales_aggregates t ON t.level = 'total'
  WHERE rp.level = 'region_product' AND rp.amount_rank <= $2
), ranked AS (
  SELECT *, row_number() OVER (PARTITION BY region ORDER BY lift DESC, product_id) AS ordinal
  FROM compared
  WHERE round(lift, 1) > 1
)
SELECT
  ranked.region,
  ranked.product_id,
  c.name,
  c.category,
  ranked.total_amount::text AS amount,
  round(ranked.lift, 1)::text AS lift
FROM ranked
LEFT JOIN shop.products c ON $3 AND c.product_id = ranked.product_id
WHERE ordinal <= $1
ORDER BY ranked.region, ordinal;
