-- Rows that were rejected because their sale_id stands for another product already. $1: run.
-- Such rows are valid apart from that, so their values are numbers, perhaps in quotes or with blanks around them.
WITH conflicts AS (
  SELECT file, line, regexp_match(plain, '^[^,\d]*(\d+)[^,\d]*,[^,]*,[^,\d]*(\d+)[^,\d]*,') AS ids,
    replace(rtrim(regexp_replace(substring(plain FROM '^(?:[^,]*,){5}(.*),[^,]*$'), '[^\d.,]', '', 'g'), '.,'), ',', '.') AS amount
  FROM (SELECT file, line, replace(raw, '"', '') AS plain FROM shop.rejected_sales WHERE run_id = $1 AND reason = 'conflicting_duplicate') r
), other_products AS (
  SELECT c.file, c.line, s.sale_id, c.amount::numeric AS amount
  FROM conflicts c JOIN shop.sales s ON s.sale_id = c.ids[1]::numeric AND s.product_id <> c.ids[2]::numeric
)
SELECT count(*)::text AS rows, coalesce(sum(amount), 0)::numeric(38, 2)::text AS amount,
  (SELECT coalesce(json_agg(e), '[]')::text FROM (SELECT sale_id::text, file, line FROM other_products ORDER BY file, line LIMIT 3) e) AS examples
FROM other_products
