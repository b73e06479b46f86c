-- shop.sales holds the run with the newest loaded_at, which therefore grows even when the server's clock is set back.
INSERT INTO shop.pipeline_runs AS old (
  run_id, as_of, source, clean_engine, raw_rows, clean_rows, duplicate_rows, rejected_rows, rejected_by_reason, loaded_at
)
VALUES (
  $1, $2, $3, $4, $5, $6, $7, $8, $9,
  greatest(clock_timestamp(), (SELECT max(loaded_at) + interval '1 microsecond' FROM shop.pipeline_runs))
)
ON CONFLICT (run_id) DO UPDATE SET
  as_of = excluded.as_of,
  source = excluded.source,
  clean_engine = excluded.clean_engine,
  raw_rows = excluded.raw_rows,
  clean_rows = excluded.clean_rows,
  duplicate_rows = excluded.duplicate_rows,
  rejected_rows = excluded.rejected_rows,
  rejected_by_reason = excluded.rejected_by_reason,
  loaded_at = excluded.loaded_at;
