-- Two roles: a writer for the pipeline and a reader for reports. May be run again at any time.
-- Grant them to the users that log in: GRANT salesflow_writer TO pipeline;

CREATE ROLE IF NOT EXISTS salesflow_writer, salesflow_reader;

-- Transfer makes and drops a staging table and replaces a partition.
GRANT SHOW, SELECT, INSERT, CREATE TABLE, DROP TABLE, ALTER DELETE ON shop.* TO salesflow_writer;

GRANT SHOW, SELECT ON shop.sales_aggregates TO salesflow_reader;
