-- Number of customers, and of those with more than one sale.
SELECT count(*)::text AS customers, count(*) FILTER (WHERE sales > 1)::text AS repeat_customers
FROM (SELECT count(*) AS sales FROM shop.sales GROUP BY customer_id) AS customers;
