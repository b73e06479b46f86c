-- Privileges that a run needs and this user lacks. Reads pg_class, because to_regclass fails without USAGE on the schema.
WITH tables AS (
  SELECT c.oid, c.relname, c.relowner
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname = 'shop'
)
SELECT 'CREATE on the database ' || current_database() AS privilege
WHERE NOT EXISTS (SELECT FROM tables WHERE relname = 'schema_migrations')
  AND NOT has_database_privilege(current_database(), 'CREATE')
UNION ALL
SELECT needed || ' on the schema shop'
FROM pg_namespace n, unnest(ARRAY['USAGE', 'CREATE']) AS needed
WHERE nspname = 'shop' AND NOT has_schema_privilege(n.oid, needed)
UNION ALL
SELECT string_agg(needed, ', ' ORDER BY needed) || ' on shop.' || relname
FROM tables
JOIN (VALUES
  ('schema_migrations', 'SELECT'),
  ('sales', 'SELECT'),
  ('products', 'SELECT'), ('products', 'INSERT'), ('products', 'DELETE'),
  ('rejected_sales', 'SELECT'), ('rejected_sales', 'INSERT'), ('rejected_sales', 'DELETE'),
  ('pipeline_runs', 'SELECT'), ('pipeline_runs', 'INSERT'), ('pipeline_runs', 'UPDATE'),
  ('sales_aggregates', 'SELECT'), ('sales_aggregates', 'INSERT'), ('sales_aggregates', 'DELETE')
) AS required (name, needed) ON relname = name
WHERE NOT has_table_privilege(tables.oid, needed)
GROUP BY relname
UNION ALL
-- Only the owner can attach and detach partitions.
SELECT 'membership in ' || pg_get_userbyid(relowner) || ', the owner of shop.sales'
FROM tables
WHERE relname = 'sales' AND NOT pg_has_role(relowner, 'USAGE');
