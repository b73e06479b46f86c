-- Sales and amounts by day and region.
SELECT
  sale_date::text AS date,
  region,
  count(*)::text AS sales,
  sum(sale_amount)::text AS amount
FROM shop.sales
GROUP BY sale_date, region
ORDER BY sale_date, region;
