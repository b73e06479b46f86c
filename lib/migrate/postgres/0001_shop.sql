-- The shop's tables. The pipeline fills them; nobody creates a table by hand.

CREATE TABLE shop.products (
  product_id integer PRIMARY KEY CHECK (product_id > 0),
  name text NOT NULL,
  category text NOT NULL,
  price_from numeric(14, 2) NOT NULL CHECK (price_from > 0),
  price_to numeric(14, 2) NOT NULL CHECK (price_to >= price_from)
);
COMMENT ON TABLE shop.products IS 'Product catalogue of the last loaded run that had one';

-- Partitioned only to be swapped: one partition covers every sale_id, and load replaces it in one transaction.
CREATE TABLE shop.sales (
  sale_id bigint NOT NULL CONSTRAINT sales_sale_id_positive CHECK (sale_id > 0),
  customer_id bigint NOT NULL CONSTRAINT sales_customer_id_positive CHECK (customer_id > 0),
  product_id integer NOT NULL CONSTRAINT sales_product_id_positive CHECK (product_id > 0),
  quantity integer NOT NULL CONSTRAINT sales_quantity_positive CHECK (quantity > 0),
  sale_date date NOT NULL,
  sale_amount numeric(14, 2) NOT NULL CONSTRAINT sales_sale_amount_positive CHECK (sale_amount > 0),
  region text NOT NULL CONSTRAINT sales_region_known CHECK (region IN ('North', 'South', 'East', 'West')),
  PRIMARY KEY (sale_id)
) PARTITION BY RANGE (sale_id);
COMMENT ON TABLE shop.sales IS 'Clean, distinct sales of the last loaded run';
COMMENT ON COLUMN shop.sales.sale_date IS 'Calendar date in Europe/Moscow';
COMMENT ON COLUMN shop.sales.sale_amount IS 'Roubles: quantity times the unit price of that day';

-- COPY fills the other columns from the file; load sets the run for its transaction.
CREATE TABLE shop.rejected_sales (
  run_id text NOT NULL DEFAULT current_setting('salesflow.run_id'),
  file text NOT NULL,
  line bigint NOT NULL CHECK (line > 0),
  reason text NOT NULL,
  raw text NOT NULL,
  PRIMARY KEY (run_id, file, line)
);
COMMENT ON TABLE shop.rejected_sales IS 'Every raw row that cleaning refused, with its reason and origin';

CREATE TABLE shop.pipeline_runs (
  run_id text PRIMARY KEY,
  as_of date NOT NULL,
  source text NOT NULL CHECK (source IN ('generated', 'ingested')),
  clean_engine text NOT NULL CHECK (clean_engine IN ('native', 'spark')),
  raw_rows bigint NOT NULL,
  clean_rows bigint NOT NULL,
  duplicate_rows bigint NOT NULL,
  rejected_rows bigint NOT NULL,
  rejected_by_reason jsonb NOT NULL,
  loaded_at timestamptz NOT NULL DEFAULT now(),
  CHECK (raw_rows = clean_rows + duplicate_rows + rejected_rows)
);
COMMENT ON TABLE shop.pipeline_runs IS 'One row for each run that was loaded; the newest loaded_at is what shop.sales holds';

CREATE TABLE shop.sales_aggregates (
  level text NOT NULL CHECK (level IN ('total', 'region', 'product', 'region_product')),
  region text NOT NULL,
  product_id integer NOT NULL,
  total_sales bigint NOT NULL,
  total_quantity bigint NOT NULL,
  total_amount numeric(18, 2) NOT NULL,
  average_sale_amount numeric(14, 2) NOT NULL,
  amount_share numeric(9, 6) NOT NULL,
  amount_rank integer NOT NULL,
  cumulative_share numeric(9, 6) NOT NULL,
  run_id text NOT NULL,
  PRIMARY KEY (level, region, product_id)
);
COMMENT ON TABLE shop.sales_aggregates IS 'Aggregates of shop.sales at four levels; region All and product_id 0 stand for "every"';
COMMENT ON COLUMN shop.sales_aggregates.average_sale_amount IS 'Average check: total_amount / total_sales, half up to the cent';
