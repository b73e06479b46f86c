-- Before the first SELECT, so that the snapshot is taken when no stage can swap the tables away any more: all figures
-- belong together. Readers are not disturbed; a load waits for the moment that the queries take.
LOCK TABLE shop.sales, shop.sales_aggregates, shop.products, shop.rejected_sales, shop.pipeline_runs IN ACCESS SHARE MODE;
