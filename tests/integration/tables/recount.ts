/** Computes the aggregates of the data contract with integers only, without SQL. */
import { divideHalfUp, fromCents, toCents } from "../../../lib/domain/money.ts";
import type { WeightedSale } from "../../conformance/drawn_sales.ts";
import type { Sale } from "./harness.ts";

interface Group {
  level: string;
  region: string;
  product: bigint;
  sales: bigint;
  quantity: bigint;
  cents: bigint;
}

/** Formats millionths with six decimal places. */
function formatMillionths(millionths: bigint): string {
  const digits = millionths.toString().padStart(7, "0");
  return `${digits.slice(0, -6)}.${digits.slice(-6)}`;
}

/** Orders groups by rank. */
function compareRank(a: Group, b: Group): number {
  if (a.cents !== b.cents) return a.cents > b.cents ? -1 : 1;
  if (a.region !== b.region) return a.region < b.region ? -1 : 1;
  return a.product < b.product ? -1 : 1;
}

/** Groups sales at all four levels. */
function groupSales(sales: readonly WeightedSale[]): Group[] {
  const groups = new Map<string, Group>();
  for (const [region, product, quantity, amount, weight] of sales) {
    const times = BigInt(weight);
    const keys: [string, string, bigint][] = [
      ["total", "All", 0n],
      ["region", region, 0n],
      ["product", "All", BigInt(product)],
      ["region_product", region, BigInt(product)],
    ];
    for (const [level, inRegion, ofProduct] of keys) {
      const key = `${level} ${inRegion} ${ofProduct}`;
      const group = groups.get(key) ??
        { level, region: inRegion, product: ofProduct, sales: 0n, quantity: 0n, cents: 0n };
      group.sales += times;
      group.quantity += BigInt(quantity) * times;
      group.cents += toCents(amount) * times;
      groups.set(key, group);
    }
  }
  return [...groups.values()];
}

/** Returns the rows of shop.sales_aggregates without run_id, as sorted lines. */
export function recount(sales: readonly Sale[]): string[] {
  return recountWeighted(
    sales.map(([, , product, quantity, , amount, region]) => [region, product, quantity, amount, 1]),
  );
}

/** Does the same for weighted sales. */
export function recountWeighted(sales: readonly WeightedSale[]): string[] {
  const groups = groupSales(sales);
  const grand = groups.find(({ level }) => level === "total")?.cents ?? 0n;
  const windows = Map.groupBy(
    groups,
    ({ level, region }) => level === "region_product" ? `${level} ${region}` : level,
  );
  const rows: string[] = [];
  for (const window of windows.values()) {
    const whole = window.reduce((sum, { cents }) => sum + cents, 0n);
    let running = 0n;
    window.sort(compareRank).forEach((group, index) => {
      const { level, region, product, sales, quantity, cents } = group;
      running += cents;
      const average = fromCents(divideHalfUp(cents, sales));
      const share = formatMillionths(divideHalfUp(cents, grand, 1_000_000n));
      const curve = formatMillionths(divideHalfUp(running, whole, 1_000_000n));
      const row = [
        level,
        region,
        product,
        sales,
        quantity,
        fromCents(cents),
        average,
        share,
        index + 1,
        curve,
      ];
      rows.push(row.join(" "));
    });
  }
  return rows.sort();
}
