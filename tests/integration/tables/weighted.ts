/** The product's own SQL over sales that stand in a table once, with how many of them there are. */

/** Where the weighted sales stand; `weight` is numeric. */
export const WEIGHTED_TABLE = "pg_temp.weighted_sales";

/** What the first of both queries' levels counts and sums in shop.sales, and the same by weight. */
const BY_WEIGHT: readonly [string, string][] = [
  ["count(*) AS sales", "sum(weight)::bigint AS sales"],
  ["sum(quantity) AS quantity", "sum(quantity * weight)::bigint AS quantity"],
  ["sum(sale_amount) * 100 AS cents", "sum(sale_amount * weight) * 100 AS cents"],
  ["sum((sale_amount * 100)::bigint) AS cents", "sum((sale_amount * 100)::bigint * weight) AS cents"],
  ["FROM shop.sales\n", `FROM ${WEIGHTED_TABLE}\n`],
];

/**
 * Rewrites the groups of the finest level, of which everything else is computed, and leaves the rest as it is. The
 * types stay: counts and quantities are bigint, amounts numeric.
 *
 * @throws {Error} when the query is no longer built of these groups
 */
export function byWeight(sql: string): string {
  const cells = /^(?:WITH )?cells AS MATERIALIZED \([^]*?^\)/m.exec(sql)?.[0];
  if (cells === undefined) throw new Error("The query has no groups of the finest level, called cells");
  const found = BY_WEIGHT.filter(([counted]) => cells.includes(counted));
  if (found.length !== BY_WEIGHT.length - 1) {
    throw new Error("The finest groups are not what this file knows");
  }
  return sql.replace(
    cells,
    found.reduce((text, [counted, weighted]) => text.replace(counted, weighted), cells),
  );
}
