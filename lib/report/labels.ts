/** Labels of products, rejection reasons and stages. */
import type { Reason } from "../domain/sale.ts";
import type { Product } from "./report_data.ts";

/** Returns the name of a product, or its number if it has none. */
export function productName({ name, productId }: Pick<Product, "name" | "productId">): string {
  return name ?? `product ${productId}`;
}

/** Descriptions of the rejection reasons. */
export const REASON_LABELS: Record<Reason, string> = {
  malformed_row: "The line cannot be split into seven fields",
  missing_value: "A value is missing",
  invalid_sale_id: "The sale number is not a positive whole number",
  invalid_customer_id: "The customer number is not a positive whole number",
  invalid_product_id: "The product number is not a positive whole number",
  invalid_quantity: "The quantity is not a positive whole number",
  invalid_amount: "The amount is not a positive sum in roubles and kopecks",
  invalid_date: "The date is malformed or does not exist",
  date_out_of_range: "The date is outside the year up to the as-of date",
  unknown_region: "The region is not one of the four",
  conflicting_duplicate: "Another row has the same sale number but different values",
};

/** Short descriptions of the stages. */
export const STAGE_LABELS: Record<string, string> = {
  migrate: "tables brought up to date",
  generate: "raw sales generated",
  ingest: "the shop’s export imported",
  clean: "rows converted, validated, deduplicated",
  load: "clean rows copied into PostgreSQL",
  aggregate: "sums by region and product",
  transfer: "aggregates copied to ClickHouse",
  verify: "all data recounted",
};
