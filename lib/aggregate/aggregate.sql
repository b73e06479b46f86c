-- Aggregates of shop.sales at four levels; docs/data_contract.md defines the columns.
-- Money is computed in whole cents. Each share and average a / b is rounded once, half up, at scale s: div(2as + b, 2b).

INSERT INTO shop.sales_aggregates (
  level, region, product_id, total_sales, total_quantity, total_amount,
  average_sale_amount, amount_share, amount_rank, cumulative_share, run_id
)
WITH cells AS MATERIALIZED (
  -- Groups by the finest level first: PostgreSQL runs this in parallel, but not GROUPING SETS.
  SELECT region, product_id, count(*) AS sales, sum(quantity) AS quantity, sum(sale_amount) * 100 AS cents
  FROM shop.sales
  GROUP BY region, product_id
),
levels AS (
  SELECT
    CASE grouping(region, product_id) WHEN 0 THEN 'region_product' WHEN 1 THEN 'region' WHEN 2 THEN 'product' ELSE 'total' END AS level,
    coalesce(region, 'All') AS region,
    coalesce(product_id, 0) AS product_id,
    sum(sales) AS sales,
    sum(quantity) AS quantity,
    sum(cents) AS cents
  FROM cells
  GROUP BY GROUPING SETS ((), (region), (product_id), (region, product_id))
  HAVING sum(sales) > 0
),
windows AS (
  SELECT
    *,
    row_number() OVER ranking AS rank,
    sum(cents) OVER (ranking ROWS UNBOUNDED PRECEDING) AS running_cents,
    sum(cents) OVER (PARTITION BY level, CASE level WHEN 'region_product' THEN region END) AS window_cents,
    max(cents) OVER () AS grand_cents
  FROM levels
  WINDOW ranking AS (
    PARTITION BY level, CASE level WHEN 'region_product' THEN region END
    ORDER BY cents DESC, region COLLATE "C", product_id
  )
)
SELECT
  level,
  region,
  product_id,
  sales,
  quantity,
  cents * 0.01,
  div(2 * cents + sales, 2 * sales) * 0.01,
  div(2 * cents * 1000000 + grand_cents, 2 * grand_cents) * 0.000001,
  rank,
  div(2 * running_cents * 1000000 + window_cents, 2 * window_cents) * 0.000001,
  $1
FROM windows;
