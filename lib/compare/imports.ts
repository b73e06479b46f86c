/** Reads the imports that ClickHouse has. */
import type { ClickHouse } from "../clickhouse/session.ts";
import { UsageError } from "../console/errors.ts";
import { toCents } from "../domain/money.ts";
import type { Group } from "./decompose.ts";

/** One import. */
export interface Import {
  /** As `YYYY-MM-DD`. */
  date: string;
  /** Run that it is of. */
  runId: string;
  /** Number of sales. */
  sales: bigint;
  /** Number of pieces. */
  quantity: bigint;
  /** Revenue in cents. */
  cents: bigint;
  /** Average check in cents. */
  averageCents: bigint;
}

/** Returns all imports, the oldest first. @throws {ClickHouseFailure} */
export async function readImports(db: ClickHouse): Promise<Import[]> {
  const rows = await db.rows(
    `SELECT toString(import_date), run_id, toString(total_sales), toString(total_quantity),
       toDecimalString(total_amount, 2), toDecimalString(average_sale_amount, 2)
     FROM shop.sales_aggregates WHERE level = 'total' ORDER BY import_date`,
  );
  return rows.map(([date, runId, sales, quantity, amount, average]) => ({
    date: date!,
    runId: runId!,
    sales: BigInt(sales!),
    quantity: BigInt(quantity!),
    cents: toCents(amount!),
    averageCents: toCents(average!),
  }));
}

/**
 * Finds the imports to compare: those that are named by date or run, or the last two.
 *
 * @param imports the oldest first
 * @throws {UsageError} when there is none of that name, or there are fewer than two
 */
export function chooseImports(
  imports: readonly Import[],
  names: readonly string[],
): [before: Import, after: Import] {
  if (imports.length < 2) {
    throw new UsageError([
      `ClickHouse has ${imports.length === 0 ? "no import" : "one import only"}: there is nothing to compare`,
    ]);
  }
  const find = (name: string): Import => {
    const found = imports.find(({ date, runId }) => date === name || runId === name);
    if (found) return found;
    throw new UsageError(
      [`There is no import ${name}`],
      `There are: ${imports.map(({ date }) => date).join(", ")}`,
    );
  };
  const [first, second] = names;
  if (first === undefined) return [imports.at(-2)!, imports.at(-1)!];
  return second === undefined ? [find(first), imports.at(-1)!] : [find(first), find(second)];
}

/** Sums of an import by product, in each region. */
export interface ImportGroups {
  /** By product. */
  products: Map<string, Group>;
  /** By region, then by product. */
  regions: Map<string, Map<string, Group>>;
}

/** Reads the sums of an import. */
export async function readGroups(db: ClickHouse, { date }: Import): Promise<ImportGroups> {
  const rows = await db.rows(
    `SELECT level, region, toString(product_id), toString(total_quantity), toDecimalString(total_amount, 2)
     FROM shop.sales_aggregates WHERE import_date = {date:Date} AND level IN ('product', 'region_product')
     ORDER BY level, region, product_id`,
    { date },
  );
  const groups: ImportGroups = { products: new Map(), regions: new Map() };
  for (const [level, region, product, quantity, amount] of rows) {
    const group = { quantity: BigInt(quantity!), cents: toCents(amount!) };
    if (level === "product") groups.products.set(product!, group);
    else {
      const products = groups.regions.get(region!) ?? new Map<string, Group>();
      groups.regions.set(region!, products.set(product!, group));
    }
  }
  return groups;
}

/** Reads the names of products: their name, else their SKU. */
export async function readProductNames(db: ClickHouse): Promise<Map<string, string>> {
  const rows = await db.rows(
    "SELECT toString(product_id), if(name != '', name, ifNull(sku, '')) FROM shop.products",
  );
  return new Map(rows.filter(([, name]) => name !== "").map(([id, name]) => [id!, name!]));
}
