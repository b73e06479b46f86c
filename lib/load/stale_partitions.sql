-- Partitions that were made but never published: their load is gone, since we hold its lock.
SELECT c.relname AS name
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'shop' AND c.relname ~ '^sales_part_[0-9a-f]{12}$' AND c.relkind = 'r' AND NOT c.relispartition;
