import { assertEquals, assertMatch } from "@std/assert";
import { afterAll, beforeAll, beforeEach, describe, it } from "@std/testing/bdd";
import { withClickHouse } from "../../../lib/clickhouse/session.ts";
import { migrate } from "../../../lib/migrate/migrate.ts";
import { type Check, Findings } from "../../../lib/verify/checks.ts";
import { checkClickHouse } from "../../../lib/verify/clickhouse_checks.ts";
import { SHORT_LIMITS, Testbed } from "../tables/harness.ts";

const DATE = "2026-11-24";
const ROWS = [
  "'total', 'All', 0, 2, 3, 3.50, 1.75, 1.000000, 1, 1.000000, 'run'",
  "'region', 'South', 0, 1, 1, 1.00, 1.00, 0.285714, 2, 1.000000, 'run'",
  "'region', 'East', 0, 1, 2, 2.50, 2.50, 0.714286, 1, 0.714286, 'run'",
  "'product', 'All', 10, 1, 1, 1.00, 1.00, 0.285714, 2, 1.000000, 'run'",
  "'product', 'All', 9, 1, 2, 2.50, 2.50, 0.714286, 1, 0.714286, 'run'",
  // The same numbers as doubles.
  "'region_product', 'East', 9223372036854775807, 1, 1, 1.00, 1.00, 0.285714, 1, 1.000000, 'run'",
  "'region_product', 'East', 9223372036854775806, 1, 1, 1.00, 1.00, 0.285714, 1, 1.000000, 'run'",
];

describe("checkClickHouse()", () => {
  let testbed: Testbed;
  beforeAll(async () => {
    testbed = await Testbed.open();
    await migrate(testbed.context("run"));
    for (const row of ROWS) await testbed.sql(`INSERT INTO shop.sales_aggregates VALUES (${row})`);
  });
  afterAll(() => testbed.close());
  beforeEach(async () => {
    await testbed.clickhouse("TRUNCATE TABLE shop.sales_aggregates");
    for (const row of ROWS.toReversed()) await insert(row);
  });

  async function insert(row: string, date = DATE): Promise<void> {
    await testbed.clickhouse(`INSERT INTO shop.sales_aggregates VALUES ('${date}', ${row}, now64(3))`);
  }

  async function runCheck(): Promise<Check> {
    const findings = new Findings();
    const { signal } = new AbortController();
    await withClickHouse(
      { url: testbed.clickhouseUrl, stage: "test", signal, limits: SHORT_LIMITS },
      (clickhouse) =>
        testbed.postgres((postgres) =>
          postgres.transaction(() => checkClickHouse(postgres, clickhouse, testbed.context("run"), findings))
        ),
    );
    assertEquals(findings.checks.length, 1);
    return findings.checks[0]!;
  }

  it("checkClickHouse() passes equal rows, in any order and beside other dates", async () => {
    await insert(ROWS[0]!, "2026-11-17");
    const { ok, left } = await runCheck();
    assertEquals(ok, true);
    assertMatch(left, /^7 rows, [0-9a-f]{12}$/);
  });

  const changes: [string, string, string][] = [
    [
      "a value differs",
      "ALTER TABLE shop.sales_aggregates UPDATE amount_share = 0.714285 WHERE region = 'East'",
      "7 rows",
    ],
    ["a row is missing", "ALTER TABLE shop.sales_aggregates DELETE WHERE product_id = 9", "6 rows"],
    [
      "a row is duplicated",
      "INSERT INTO shop.sales_aggregates SELECT * FROM shop.sales_aggregates WHERE level = 'total'",
      "8 rows",
    ],
    ["the date is missing", `ALTER TABLE shop.sales_aggregates DROP PARTITION '${DATE}'`, "0 rows"],
  ];
  for (const [name, statement, rows] of changes) {
    it(`checkClickHouse() fails when ${name}`, async () => {
      await testbed.clickhouse(
        `${statement}${/UPDATE|DELETE/.test(statement) ? " SETTINGS mutations_sync = 2" : ""}`,
      );
      const { ok, right } = await runCheck();
      assertEquals([ok, right.split(",")[0]], [false, rows]);
    });
  }
});
