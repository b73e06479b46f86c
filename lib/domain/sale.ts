/** The words that every stage shares about a sale. */

/** Columns of a sale, in file order. */
export const SALE_COLUMNS = [
  "sale_id",
  "customer_id",
  "product_id",
  "quantity",
  "sale_date",
  "sale_amount",
  "region",
] as const;

/** First line of every raw and clean part, without its line end. */
export const SALE_HEADER = SALE_COLUMNS.join(",");

/** First line of every rejected part, without its line end. */
export const REJECTED_HEADER = "file,line,reason,raw";

/** Regions, in the order in which they are numbered. */
export const REGIONS = ["North", "South", "East", "West"] as const;

/** Why a raw row is refused, in the order in which the rules are tried. */
export const REASONS = [
  "malformed_row",
  "missing_value",
  "invalid_sale_id",
  "invalid_customer_id",
  "invalid_product_id",
  "invalid_quantity",
  "invalid_amount",
  "invalid_date",
  "date_out_of_range",
  "unknown_region",
  "conflicting_duplicate",
] as const;

/** One of {@linkcode REASONS}. */
export type Reason = typeof REASONS[number];

/** A count for each reason, zeros included, in the order of {@linkcode REASONS}. */
export type ReasonCounts = Record<Reason, number>;

/** All reasons at zero. */
export function noRejections(): ReasonCounts {
  return Object.fromEntries(REASONS.map((reason) => [reason, 0])) as ReasonCounts;
}
