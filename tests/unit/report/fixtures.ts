/** Report data of a small shop: two regions, and something for each part of the report. */
import type { StageRecord } from "../../../lib/pipeline/records.ts";
import type { RegionDay, ReportData, Sums } from "../../../lib/report/report_data.ts";
import { toIsoDate } from "../../../lib/domain/dates.ts";
import { zeroReasonCounts } from "../../../lib/domain/sale.ts";
import { stageRecord } from "../pipeline/stage_record.ts";

function sums(sales: bigint, amountCents: bigint, averageCents: bigint, share: bigint): Sums {
  return { sales, quantity: sales * 2n, amountCents, averageCents, share };
}

/** Returns `count` days up to 2026-11-24. The day `index` has 10 + `index` sales in each region, at half the price in West. */
export function days(count: number): RegionDay[] {
  const last = 20781; // 2026-11-24
  return Array.from({ length: count }, (_, index) => index).flatMap((index): RegionDay[] => {
    const date = toIsoDate(last - count + 1 + index);
    const sales = BigInt(10 + index);
    return [
      { date, region: "North", sales, amountCents: sales * 20_000n },
      { date, region: "West", sales, amountCents: sales * 10_000n },
    ];
  });
}

/** A verification that started after {@linkcode stageRecord}. */
export const VERIFIED: StageRecord = stageRecord("verify", {
  started_at: "2026-11-24T09:45:03.000Z",
  finished_at: "2026-11-24T09:45:04.000Z",
  facts: { checks: [{ name: "rows: clean/ = shop.sales", left: "1000000", right: "1000000", ok: true }] },
});

/** Returns the data, with changes. */
export function reportData(changes: Partial<ReportData> = {}): ReportData {
  return {
    run: {
      runId: "2026-11-24",
      asOf: "2026-11-24",
      source: "generated",
      cleanEngine: "native",
      currency: "RUB",
    },
    total: sums(1_000_000n, 9_007_199_254_740_993_00n, 900_719_925_474n, 1_000_000n),
    regions: [
      { region: "North", ...sums(600_000n, 6_004_799_503_160_662_00n, 1_000_799_917_193n, 666_667n) },
      { region: "West", ...sums(400_000n, 3_002_399_751_580_331_00n, 750_599_937_895n, 333_333n) },
    ],
    products: [
      {
        productId: 7n,
        name: "Wooden Chair",
        category: "Home",
        cumulativeShare: 700_000n,
        ...sums(700_000n, 70_000_00n, 10n, 700_000n),
      },
      {
        productId: 9n,
        name: undefined,
        category: undefined,
        cumulativeShare: 1_000_000n,
        ...sums(300_000n, 30_000_00n, 10n, 300_000n),
      },
    ],
    quality: {
      raw: 1_020_000n,
      clean: 1_000_000n,
      duplicates: 8_000n,
      rejected: 12_000n,
      byReason: { ...zeroReasonCounts(), invalid_amount: 7_000, missing_value: 5_000 },
      amounts: undefined,
    },
    exclusions: [],
    warnings: [],
    stages: [stageRecord("clean"), VERIFIED],
    days: days(100),
    curve: [{ rank: 1, cumulativeShare: 700_000n }, { rank: 2, cumulativeShare: 1_000_000n }],
    concentration: { products: 2, half: 1, fourFifths: 2, nearlyAll: 2 },
    categories: [
      { category: "Home", region: "North", sales: 10n, amountCents: 90_00n },
      { category: "Home", region: "West", sales: 10n, amountCents: 40_00n },
      { category: undefined, region: "West", sales: 10n, amountCents: 60_00n },
    ],
    favourites: [
      {
        region: "West",
        productId: 9n,
        name: undefined,
        category: undefined,
        amountCents: 1_00n,
        lift: "1.8",
      },
    ],
    customers: 1_000n,
    repeatCustomers: 990n,
    examples: [
      {
        reason: "invalid_amount",
        file: "part-00000.csv",
        line: "17",
        raw: "1,2,3,1,2026-01-02,free,North",
        truncated: false,
      },
    ],
    provenance: [["Seed", "7"]],
    ...changes,
  };
}

/** Returns the visible text of markup, with ordinary spaces. */
export function textOf(markup: { toString(): string }): string {
  return markup.toString().replace(/<style>[^]*?<\/style>/g, "").replace(/<[^>]+>/g, " ")
    .replace(/[\u202f\u00a0]/g, " ").replace(/\s+/g, " ");
}
