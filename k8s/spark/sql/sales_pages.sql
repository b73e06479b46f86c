-- Pages of the largest table behind shop.sales, and the bytes of a page.
SELECT coalesce(max(pg_relation_size(relid) / current_setting('block_size')::bigint), 0), current_setting('block_size')
FROM pg_partition_tree('shop.sales')
WHERE isleaf
