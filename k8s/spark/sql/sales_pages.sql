-- Number of pages of the largest partition of shop.sales, and the page size in bytes.
SELECT coalesce(max(pg_relation_size(relid) / current_setting('block_size')::bigint), 0), current_setting('block_size')
FROM pg_partition_tree('shop.sales')
WHERE isleaf
