/** The aggregates by the contract, counted with whole numbers only and without SQL. */
import { divideHalfUp, fromCents, toCents } from "../../../lib/domain/money.ts";
import type { WeightedSale } from "../../conformance/drawn_sales.ts";
import type { Sale } from "./harness.ts";

interface Group {
  level: string;
  region: string;
  product: number;
  sales: bigint;
  quantity: bigint;
  cents: bigint;
}

function decimals(millionths: bigint): string {
  const digits = millionths.toString().padStart(7, "0");
  return `${digits.slice(0, -6)}.${digits.slice(-6)}`;
}

function rankedBefore(a: Group, b: Group): number {
  if (a.cents !== b.cents) return a.cents > b.cents ? -1 : 1;
  if (a.region !== b.region) return a.region < b.region ? -1 : 1;
  return a.product - b.product;
}

function grouped(sales: readonly WeightedSale[]): Group[] {
  const groups = new Map<string, Group>();
  for (const [region, product, quantity, amount, weight] of sales) {
    const times = BigInt(weight);
    const places: [string, string, number][] = [
      ["total", "All", 0],
      ["region", region, 0],
      ["product", "All", product],
      ["region_product", region, product],
    ];
    for (const [level, inRegion, ofProduct] of places) {
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

/** Rows of shop.sales_aggregates without run_id, as texts, sorted. */
export function recount(sales: readonly Sale[]): string[] {
  return recountWeighted(
    sales.map(([, , product, quantity, , amount, region]) => [region, product, quantity, amount, 1]),
  );
}

/** The same of sales that are given once, with how many of them there are. */
export function recountWeighted(sales: readonly WeightedSale[]): string[] {
  const groups = grouped(sales);
  const grand = groups.find(({ level }) => level === "total")?.cents ?? 0n;
  const windows = Map.groupBy(
    groups,
    ({ level, region }) => level === "region_product" ? `${level} ${region}` : level,
  );
  const rows: string[] = [];
  for (const window of windows.values()) {
    const whole = window.reduce((sum, { cents }) => sum + cents, 0n);
    let running = 0n;
    window.sort(rankedBefore).forEach((group, index) => {
      const { level, region, product, sales, quantity, cents } = group;
      running += cents;
      const average = fromCents(divideHalfUp(cents, sales));
      const share = decimals(divideHalfUp(cents, grand, 1_000_000n));
      const curve = decimals(divideHalfUp(running, whole, 1_000_000n));
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
