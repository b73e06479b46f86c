-- The same sums as sales_sum.ts computes from the bytes of the clean parts; it documents the formula and its constants.
SELECT
  count(*) AS rows,
  coalesce(sum(quantity), 0) AS quantity,
  coalesce(sum(sale_amount), 0.00) AS amount,
  coalesce(sum(
    (sale_id % 67108859 + 1) * (
      (
        11400713 * (customer_id % 67108859)
        + 9576893 * (product_id % 67108859)
        + 13466917 * (quantity::bigint % 67108859)
        + 8191207 * (sale_date - date '1970-01-01')::bigint
        + 12582917 * ((sale_amount * 100)::bigint % 67108859)
        + 6700417 * ascii(region)::bigint
      ) % 67108859
    )
  ), 0) AS checksum
FROM shop.sales
