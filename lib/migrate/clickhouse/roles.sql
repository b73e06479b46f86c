-- Two roles: a writer for the pipeline and a reader for reports. May be run again at any time.
-- Grant them to the users that log in: GRANT salesflow_writer TO pipeline;
-- A right to a table implies to see that it is there (SHOW).

CREATE ROLE IF NOT EXISTS salesflow_writer, salesflow_reader;

-- Transfer fills staging tables, sales_aggregates_staging_…, and removes them. Grants on a part of a name need
-- ClickHouse 24.10, so they are for the whole database, but for what is taken away below.
GRANT SELECT, INSERT, CREATE TABLE, DROP TABLE ON shop.* TO salesflow_writer;

-- REPLACE PARTITION and DROP PARTITION of the date that is imported again, and of all products.
GRANT ALTER DELETE ON shop.sales_aggregates TO salesflow_writer;
GRANT ALTER DELETE ON shop.products TO salesflow_writer;

-- Tables and the record of migrations are made by who migrates; the writer reads the record only.
REVOKE CREATE TABLE, DROP TABLE ON shop.sales_aggregates FROM salesflow_writer;
REVOKE CREATE TABLE, DROP TABLE ON shop.products FROM salesflow_writer;
REVOKE INSERT, CREATE TABLE, DROP TABLE ON shop.schema_migrations FROM salesflow_writer;

GRANT SELECT ON shop.sales_aggregates TO salesflow_reader;
GRANT SELECT ON shop.products TO salesflow_reader;
