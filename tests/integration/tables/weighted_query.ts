/** Rewrites the queries of aggregate and verify for a table of weighted sales, to test sums of 10⁹ rows. */

/** The table of weighted sales; `weight` is numeric. */
export const WEIGHTED_TABLE = "pg_temp.weighted_sales";

/** The expressions of the finest level in either query, each with its weighted equivalent. */
const REPLACEMENTS: readonly [string, string][] = [
  ["count(*) AS sales", "sum(weight)::bigint AS sales"],
  ["sum(quantity) AS quantity", "sum(quantity * weight)::bigint AS quantity"],
  ["sum(sale_amount) * 100 AS cents", "sum(sale_amount * weight) * 100 AS cents"],
  ["sum((sale_amount * 100)::bigint) AS cents", "sum((sale_amount * 100)::bigint * weight) AS cents"],
  ["FROM shop.sales\n", `FROM ${WEIGHTED_TABLE}\n`],
];

/**
 * Rewrites the CTE `cells`, which groups by the finest level and feeds the rest of the query. Types do not change: counts
 * and quantities are bigint, amounts numeric.
 *
 * @throws {Error} when the query does not have the expected CTE
 */
export function weightQuery(sql: string): string {
  const cells = /^(?:WITH )?cells AS MATERIALIZED \([^]*?^\)/m.exec(sql)?.[0];
  if (cells === undefined) throw new Error("The query has no CTE called cells");
  const found = REPLACEMENTS.filter(([counted]) => cells.includes(counted));
  if (found.length !== REPLACEMENTS.length - 1) {
    throw new Error("The CTE cells does not have the expected expressions");
  }
  return sql.replace(
    cells,
    found.reduce((text, [counted, weighted]) => text.replace(counted, weighted), cells),
  );
}
