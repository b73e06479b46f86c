-- Every level counts every sale once: the sums of each must be those of shop.sales.
SELECT level, count(*), sum(total_sales), sum(total_quantity), sum(total_amount)
FROM shop.{staging}
GROUP BY level
ORDER BY level
