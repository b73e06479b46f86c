SELECT
  count() AS rows,
  sum(toInt128(total_sales)) AS sales,
  sum(toInt128(total_quantity)) AS quantity,
  sum(total_amount) AS amount,
  sum(average_sale_amount) AS averages,
  sum(amount_share) AS shares,
  sum(toInt128(amount_rank)) AS ranks,
  sum(cumulative_share) AS cumulative
FROM {database:Identifier}.{table:Identifier}
WHERE import_date = {import_date:Date}
