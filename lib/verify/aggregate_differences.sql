-- Recomputes the aggregates from shop.sales, by other means than aggregate.sql: plain GROUP BY, rank(), running sums from
-- the other end, rounding by remainder. Returns a row of counts, then the first rows that differ.
WITH cells AS MATERIALIZED (
  SELECT region, product_id, count(*) AS sales, sum(quantity) AS quantity, sum((sale_amount * 100)::bigint) AS cents
  FROM shop.sales
  GROUP BY region, product_id
),
groups AS (
  SELECT 'total' AS level, 'All' AS region, 0 AS product_id, '' AS part, sum(sales) AS sales, sum(quantity) AS quantity, sum(cents) AS cents
  FROM cells HAVING count(*) > 0
  UNION ALL
  SELECT 'region', region, 0, '', sum(sales), sum(quantity), sum(cents) FROM cells GROUP BY region
  UNION ALL
  SELECT 'product', 'All', product_id, '', sum(sales), sum(quantity), sum(cents) FROM cells GROUP BY product_id
  UNION ALL
  SELECT 'region_product', region, product_id, region, sales, quantity, cents FROM cells
),
ranked AS (
  SELECT
    *,
    rank() OVER (PARTITION BY level, part ORDER BY cents DESC, region COLLATE "C", product_id) AS place,
    sum(cents) OVER (PARTITION BY level, part) AS of_part,
    (SELECT sum(cents) FROM cells) AS of_all
  FROM groups
),
running AS (
  SELECT
    *,
    of_part - coalesce(
      sum(cents) OVER (PARTITION BY level, part ORDER BY place DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0
    ) AS so_far
  FROM ranked
),
divided AS (
  SELECT *, mod(cents, sales) AS check_rest, mod(cents * 1000000, of_all) AS share_rest, mod(so_far * 1000000, of_part) AS curve_rest
  FROM running
),
recounted AS MATERIALIZED (
  SELECT
    level,
    region,
    product_id,
    sales::bigint AS total_sales,
    quantity::bigint AS total_quantity,
    (cents * 0.01)::numeric(18, 2) AS total_amount,
    (((cents - check_rest) / sales + (2 * check_rest >= sales)::int) * 0.01)::numeric(14, 2) AS average_sale_amount,
    (((cents * 1000000 - share_rest) / of_all + (2 * share_rest >= of_all)::int) * 0.000001)::numeric(9, 6) AS amount_share,
    place::integer AS amount_rank,
    (((so_far * 1000000 - curve_rest) / of_part + (2 * curve_rest >= of_part)::int) * 0.000001)::numeric(9, 6) AS cumulative_share,
    $1::text AS run_id
  FROM divided
),
different AS MATERIALIZED (
  SELECT r AS recounted, s AS stored, coalesce(r.level, s.level) AS level, coalesce(r.region, s.region) AS region,
    coalesce(r.product_id, s.product_id) AS product_id
  FROM recounted r
  FULL JOIN shop.sales_aggregates s USING (level, region, product_id)
  WHERE (
    r.total_sales, r.total_quantity, r.total_amount, r.average_sale_amount, r.amount_share, r.amount_rank, r.cumulative_share, r.run_id
  ) IS DISTINCT FROM (
    s.total_sales, s.total_quantity, s.total_amount, s.average_sale_amount, s.amount_share, s.amount_rank, s.cumulative_share, s.run_id
  )
)
(
  SELECT
    (SELECT count(*) FROM recounted)::text AS place,
    (SELECT count(*) FROM shop.sales_aggregates)::text AS recounted,
    (SELECT count(*) FROM different)::text AS stored
)
UNION ALL
(
  SELECT concat_ws(' ', level, region, product_id), recounted::text, stored::text
  FROM different
  ORDER BY level COLLATE "C", region COLLATE "C", product_id
  LIMIT $2
)
