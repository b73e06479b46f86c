-- Sales and amounts by category and region, for runs with a catalogue.
SELECT
  p.category,
  a.region,
  sum(a.total_sales)::text AS sales,
  sum(a.total_amount)::text AS amount
FROM shop.sales_aggregates a
LEFT JOIN shop.products p USING (product_id)
WHERE a.level = 'region_product'
GROUP BY p.category, a.region;
