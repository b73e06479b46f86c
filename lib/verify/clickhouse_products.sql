-- The columns of lib/dataset/products.ts. The stream of rows writes NULL as a text of its own, so it becomes empty here.
SELECT
  product_id,
  name,
  category,
  ifNull(toDecimalString(price_from, 2), ''),
  ifNull(toDecimalString(price_to, 2), ''),
  ifNull(sku, '')
FROM shop.products
ORDER BY product_id
