-- Aggregates of all test cases at once, computed by ClickHouse alone: with decimals of thirty places, not whole kopecks.
-- Truncating a quotient after thirty places never turns it into a half, so it rounds as the data contract requires.
WITH
sales AS (
  SELECT
    *,
    arrayJoin([
      ('total', 'All', 0),
      ('region', region, 0),
      ('product', 'All', product_id),
      ('region_product', region, product_id)
    ]) AS place
  FROM shop.drawn_sales
),
levels AS (
  SELECT
    case_id,
    place.1 AS level,
    place.2 AS of_region,
    place.3 AS of_product,
    sum(weight) AS count_of_sales,
    sum(toInt128(quantity) * weight) AS units,
    sum(toDecimal256(sale_amount, 30) * weight) AS amount
  FROM sales
  GROUP BY ALL
),
ranked AS (
  SELECT
    *,
    row_number() OVER ranking AS rank,
    sum(amount) OVER (ranking ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS running,
    sum(amount) OVER (PARTITION BY case_id, level, if(level = 'region_product', of_region, '')) AS of_part,
    max(amount) OVER (PARTITION BY case_id) AS of_all
  FROM levels
  WINDOW ranking AS (
    PARTITION BY case_id, level, if(level = 'region_product', of_region, '')
    ORDER BY amount DESC, of_region, of_product
  )
)
SELECT
  case_id,
  level,
  of_region,
  of_product,
  count_of_sales,
  units,
  CAST(amount AS Decimal(18, 2)),
  CAST(round(amount / count_of_sales, 2) AS Decimal(14, 2)),
  CAST(round(amount / CAST(of_all AS Decimal(38, 2)), 6) AS Decimal(9, 6)),
  rank,
  CAST(round(running / CAST(of_part AS Decimal(38, 2)), 6) AS Decimal(9, 6))
FROM ranked
