-- Every level counts each sale exactly once, so its sums must equal those of shop.sales.
SELECT level, count(*), sum(total_sales), sum(total_quantity), sum(total_amount)
FROM shop.{staging}
GROUP BY level
ORDER BY level
