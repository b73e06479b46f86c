-- Indexes of shop.sales other than its primary key, such as ones added by hand.
SELECT pg_get_indexdef(indexrelid) AS definition
FROM pg_index
WHERE indrelid = 'shop.sales'::regclass AND NOT indisprimary
ORDER BY indexrelid;
