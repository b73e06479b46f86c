/** Quotes identifiers for ClickHouse's SQL. */

/** Returns a quoted, qualified identifier: `quoteIdentifier("shop", "sales")` is `` `shop`.`sales` ``. */
export function quoteIdentifier(...names: readonly string[]): string {
  return names.map((name) => "`" + name.replaceAll("\\", "\\\\").replaceAll("`", "\\`") + "`").join(".");
}
