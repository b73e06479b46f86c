-- Indexes of shop.sales besides its key, as somebody may have added them.
SELECT pg_get_indexdef(indexrelid) AS definition
FROM pg_index
WHERE indrelid = 'shop.sales'::regclass AND NOT indisprimary
ORDER BY indexrelid;
