/** The product catalogue of a run: `raw/products.csv`. See docs/data_contract.md. */
import { SalesflowError } from "../console/errors.ts";
import type { Store } from "../store/store.ts";
import { datasetFolder } from "./dataset.ts";

/** Columns of a catalogue, as in shop.products; `sku` is only in catalogues of ingested runs. */
export const PRODUCT_COLUMNS = ["product_id", "name", "category", "price_from", "price_to", "sku"] as const;

/** One of {@linkcode PRODUCT_COLUMNS}. */
export type ProductColumn = typeof PRODUCT_COLUMNS[number];

/** A header is shorter than this. */
const MAX_HEADER_BYTES = 200;

/** Returns the path of a run's catalogue, which may not exist. */
export function productsPath(runId: string): string {
  return `${datasetFolder(runId, "raw")}/products.csv`;
}

/**
 * Reads the columns of a run's catalogue from its header; undefined when the run has none.
 *
 * @throws {SalesflowError} when the header has other columns
 */
export async function readProductColumns(store: Store, runId: string): Promise<ProductColumn[] | undefined> {
  const path = productsPath(runId);
  if (await store.size(path) === undefined) return undefined;
  const head = new TextDecoder().decode(await store.read(path, 0, MAX_HEADER_BYTES));
  const header = head.split("\n", 1)[0]!;
  const columns = [PRODUCT_COLUMNS, PRODUCT_COLUMNS.slice(0, -1)].find((each) => each.join() === header);
  if (columns) return [...columns];
  throw new SalesflowError(`${store.url}/${path} line 1: its columns are not those of a catalogue`, {
    runId,
    remedy: "Generate or ingest the run again.",
  });
}
