-- Runs with a record, with rejected rows, or with both.
SELECT
  run_id,
  floor(extract(epoch FROM r.loaded_at) * 1000)::bigint AS loaded_ms,
  coalesce(s.rejected_rows, 0) AS rejected_rows,
  coalesce(s.rejected_bytes, 0) AS rejected_bytes
FROM shop.pipeline_runs AS r
FULL JOIN (
  SELECT run_id, count(*) AS rejected_rows, sum(pg_column_size(rejected_sales.*)) AS rejected_bytes
  FROM shop.rejected_sales
  GROUP BY run_id
) AS s USING (run_id)
ORDER BY run_id;
