-- Runs before the first SELECT, so that no stage can swap a table between the snapshot and the last query. Readers are
-- not blocked; a load waits until the queries have finished.
LOCK TABLE shop.sales, shop.sales_aggregates, shop.products, shop.rejected_sales, shop.pipeline_runs IN ACCESS SHARE MODE;
