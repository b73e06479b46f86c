/** The one place where identifiers are put into SQL text. */
// @ts-types="./pg.d.ts"
import pg from "pg";

/** A quoted identifier, each name for itself: `quoteName("shop", "sales")` is `"shop"."sales"`. */
export function quoteName(...names: readonly string[]): string {
  return names.map((name) => pg.escapeIdentifier(name)).join(".");
}
