import { assertEquals } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { withClickHouse } from "../../../lib/clickhouse/session.ts";
import { migrate } from "../../../lib/migrate/migrate.ts";
import {
  differingTotals,
  readClickHouseTotals,
  readPostgresTotals,
  type Totals,
} from "../../../lib/transfer/totals.ts";
import { SHORT_LIMITS, Testbed } from "../tables/harness.ts";

const DATE = "2026-11-24";
/** Sums that are too large for a 64-bit integer or for a double. */
const ROWS = [
  "'total', 'All', 0, 9223372036854775807, 9223372036854775807, 9999999999999999.99, 999999999999.99, 1.000000, 2147483647, 1.000000",
  "'region', 'East', 0, 9223372036854775807, 9223372036854775807, 9999999999999999.98, 0.01, 0.333333, 2147483647, 0.666667",
];
const EXPECTED: Totals = {
  rows: "2",
  sales: "18446744073709551614",
  quantity: "18446744073709551614",
  amount: "19999999999999999.97",
  averages: "1000000000000.00",
  shares: "1.333333",
  ranks: "4294967294",
  cumulative: "1.666667",
};
const EMPTY: Totals = {
  rows: "0",
  sales: "0",
  quantity: "0",
  amount: "0.00",
  averages: "0.00",
  shares: "0.000000",
  ranks: "0",
  cumulative: "0.000000",
};

describe("lib/transfer/totals.ts", () => {
  let testbed: Testbed;
  beforeAll(async () => {
    testbed = await Testbed.open();
    await migrate(testbed.context("run"));
  });
  afterAll(() => testbed.close());

  function readFromClickHouse(date = DATE): Promise<Totals> {
    const { signal } = new AbortController();
    return withClickHouse(
      { url: testbed.clickhouseUrl, stage: "test", signal, limits: SHORT_LIMITS },
      (db) => readClickHouseTotals(db, "sales_aggregates", date),
    );
  }

  it("readPostgresTotals() and readClickHouseTotals() return the same text for empty tables", async () => {
    assertEquals(await testbed.postgres(readPostgresTotals), { totals: EMPTY, runs: [null, null] });
    assertEquals(await readFromClickHouse(), EMPTY);
  });

  it("readPostgresTotals() and readClickHouseTotals() return the same exact sums for the largest values", async () => {
    for (const [index, row] of ROWS.entries()) {
      await testbed.sql(`INSERT INTO shop.sales_aggregates VALUES (${row}, 'run-${index}')`);
      await testbed.clickhouse(
        `INSERT INTO shop.sales_aggregates VALUES ('${DATE}', ${row}, 'run-${index}', now64(3))`,
      );
    }
    assertEquals(await testbed.postgres(readPostgresTotals), { totals: EXPECTED, runs: ["run-0", "run-1"] });
    assertEquals(await readFromClickHouse(), EXPECTED);
    assertEquals(await readFromClickHouse("2026-11-17"), EMPTY);
  });

  it("differingTotals() returns the names of the totals that differ, in order", () => {
    assertEquals(differingTotals(EXPECTED, { ...EXPECTED }), []);
    assertEquals(differingTotals(EXPECTED, { ...EXPECTED, cumulative: "0", rows: "1" }), [
      "rows",
      "cumulative",
    ]);
  });
});
