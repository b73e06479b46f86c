-- Partitions created but never attached. Their load is no longer running, because the caller holds its lock.
SELECT c.relname AS name, pg_total_relation_size(c.oid) AS bytes
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'shop' AND c.relname ~ '^sales_part_[0-9a-f]{12}$' AND c.relkind = 'r' AND NOT c.relispartition;
