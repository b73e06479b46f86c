/** Columns, headers, regions and reject reasons of sales, shared by all stages. */

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

/** Header of raw and clean parts, without the line end. */
export const SALE_HEADER: string = SALE_COLUMNS.join(",");

/** Header of rejected parts, without the line end. */
export const REJECTED_HEADER = "file,line,reason,raw";

/** Regions, in the order of their numbers. */
export const REGIONS = ["North", "South", "East", "West"] as const;

/** Index in {@linkcode REGIONS} of every name that the data contract takes for a region, in lower case. */
export const REGION_BY_NAME: ReadonlyMap<string, number> = new Map(
  [["north", "n", "север"], ["south", "s", "юг"], ["east", "e", "восток"], ["west", "w", "запад"]]
    .flatMap((names, region) => names.map((name) => [name, region] as const)),
);

/** Reasons to reject a raw row, in the order in which the rules are applied. */
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

/** A count for each reason, including zeros, in the order of {@linkcode REASONS}. */
export type ReasonCounts = Record<Reason, number>;

/** Returns a count of zero for each reason. */
export function zeroReasonCounts(): ReasonCounts {
  return Object.fromEntries(REASONS.map((reason) => [reason, 0])) as ReasonCounts;
}
