-- The loaded run, and the run in shop.sales_aggregates. $1: run_id
SELECT
  source,
  clean_engine,
  raw_rows::text,
  clean_rows::text,
  duplicate_rows::text,
  rejected_rows::text,
  rejected_by_reason::text,
  (SELECT string_agg(DISTINCT run_id, ', ') FROM shop.sales_aggregates) AS aggregated_run
FROM shop.pipeline_runs
WHERE run_id = $1;
