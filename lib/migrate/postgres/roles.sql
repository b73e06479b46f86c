-- Two group roles without login: a writer for the pipeline and a reader for reports. May be run again at any time.
-- Grant them to the users that log in: GRANT salesflow_writer TO pipeline; GRANT salesflow_reader TO analyst;

DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'salesflow_writer') THEN
    CREATE ROLE salesflow_writer NOLOGIN;
  END IF;
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'salesflow_reader') THEN
    CREATE ROLE salesflow_reader NOLOGIN;
  END IF;
  -- Who migrates must stay able to change the table that the writer owns from here on.
  IF NOT pg_has_role(current_user, 'salesflow_writer', 'USAGE') THEN
    EXECUTE format('GRANT salesflow_writer TO %I', current_user);
  END IF;
END
$$;

-- Load exchanges the partition of shop.sales, which only its owner may do.
GRANT USAGE, CREATE ON SCHEMA shop TO salesflow_writer;
ALTER TABLE shop.sales OWNER TO salesflow_writer;
DO $$
DECLARE
  part regclass;
BEGIN
  FOR part IN SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent = 'shop.sales'::regclass LOOP
    EXECUTE format('ALTER TABLE %s OWNER TO salesflow_writer', part);
  END LOOP;
END
$$;
GRANT SELECT, INSERT, UPDATE, DELETE ON shop.products, shop.rejected_sales, shop.pipeline_runs, shop.sales_aggregates
  TO salesflow_writer;
GRANT SELECT ON shop.schema_migrations TO salesflow_writer;

-- Rejected rows keep whatever text came in: readers see where and why, not the text.
GRANT USAGE ON SCHEMA shop TO salesflow_reader;
GRANT SELECT ON shop.sales, shop.products, shop.pipeline_runs, shop.sales_aggregates TO salesflow_reader;
GRANT SELECT (run_id, file, line, reason) ON shop.rejected_sales TO salesflow_reader;
