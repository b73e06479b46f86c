-- How many people bought, and how many of them more than once.
SELECT count(*)::text AS customers, count(*) FILTER (WHERE sales > 1)::text AS again
FROM (SELECT count(*) AS sales FROM shop.sales GROUP BY customer_id) AS customers;
