/** Quotes identifiers for SQL text. */
// @ts-types="./pg.d.ts"
import pg from "pg";

/** Returns a quoted, qualified identifier: `quoteIdentifier("shop", "sales")` is `"shop"."sales"`. */
export function quoteIdentifier(...names: readonly string[]): string {
  return names.map((name) => pg.escapeIdentifier(name)).join(".");
}
