-- Row count and exact sums that must arrive in ClickHouse, and the runs that computed the rows.
SELECT
  count(*)::text AS rows,
  coalesce(sum(total_sales), 0)::text AS sales,
  coalesce(sum(total_quantity), 0)::text AS quantity,
  coalesce(sum(total_amount), 0.00)::text AS amount,
  coalesce(sum(average_sale_amount), 0.00)::text AS averages,
  coalesce(sum(amount_share), 0.000000)::text AS shares,
  coalesce(sum(amount_rank), 0)::text AS ranks,
  coalesce(sum(cumulative_share), 0.000000)::text AS cumulative,
  min(run_id) AS first_run,
  max(run_id) AS last_run
FROM shop.sales_aggregates;
