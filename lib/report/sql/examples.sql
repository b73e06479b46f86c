-- The first rejected rows of each reason. $1: run_id; $2: rows of each reason; $3: characters to keep of a row
SELECT reason, file, line::text, left(raw, $3) AS raw, length(raw) > $3 AS truncated
FROM (
  SELECT *, row_number() OVER (PARTITION BY reason ORDER BY file, line) AS ordinal
  FROM shop.rejected_sales
  WHERE run_id = $1
) AS numbered
WHERE ordinal <= $2
ORDER BY reason, file, line;
