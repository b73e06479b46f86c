import { assert, assertEquals } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { withClickHouse } from "../../../lib/clickhouse/session.ts";
import { migrate } from "../../../lib/migrate/migrate.ts";
import { readImportDates } from "../../../lib/prune/import_dates.ts";
import { Testbed } from "../tables/harness.ts";

describe("readImportDates()", () => {
  let testbed: Testbed;
  beforeAll(async () => {
    testbed = await Testbed.open();
  });
  afterAll(() => testbed.close());

  const read = () => {
    const { signal } = new AbortController();
    return withClickHouse({ url: testbed.clickhouseUrl, stage: "test", signal }, readImportDates);
  };

  it("returns nothing before the first migrate", async () => {
    assertEquals(await read(), []);
  });

  it("returns runs, rows and bytes of each date, in order", async () => {
    await migrate(testbed.context("r"));
    const rows = [["2026-11-24", "North", "b"], ["2026-11-24", "South", "a"], [
      "2026-11-17",
      "All",
      "a.b-c_d",
    ]];
    for (const [date, region, run] of rows) {
      await testbed.clickhouse(
        `INSERT INTO shop.sales_aggregates VALUES ('${date}', 'region', '${region}', 0, 1, 1, 1, 1, 1, 1, 1, '${run}', now64(3))`,
      );
    }
    const dates = await read();
    assertEquals(dates.map(({ importDate, runIds, rows }) => [importDate, runIds.toSorted(), rows]), [
      ["2026-11-17", ["a.b-c_d"], 1],
      ["2026-11-24", ["a", "b"], 2],
    ]);
    assert(dates.every(({ bytes }) => bytes > 0));
  });
});
