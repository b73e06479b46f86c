import { assert, assertEquals, assertRejects } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { aggregate } from "../../../lib/aggregate/aggregate.ts";
import { SalesflowError } from "../../../lib/console/errors.ts";
import { load } from "../../../lib/load/load.ts";
import { migrate } from "../../../lib/migrate/migrate.ts";
import { stagingPrefix } from "../../../lib/transfer/staging.ts";
import { transfer } from "../../../lib/transfer/transfer.ts";
import { IMPATIENT, manySales, Place, type Sale, writeRunFiles } from "../tables/harness.ts";
import { recount } from "../tables/recount.ts";

const COLUMNS =
  "level, region, product_id, total_sales, total_quantity, total_amount, average_sale_amount, amount_share, amount_rank, cumulative_share";
const OTHER_DATE = "2026-11-17";

describe("transfer()", () => {
  let place: Place;
  const SMALL = manySales(60);

  beforeAll(async () => {
    place = await Place.open();
    await migrate(place.context("run"));
    await aggregated("small", SMALL);
  });
  afterAll(() => place.close());

  async function aggregated(runId: string, sales: Sale[], asOf = "2026-11-24"): Promise<void> {
    await writeRunFiles(place.store, { runId, parts: [sales], asOf });
    await load(place.context(runId, { asOf }));
    await aggregate(place.context(runId, { asOf }));
  }

  async function imported(date: string): Promise<string[]> {
    const rows = await place.clickhouse(
      `SELECT ${COLUMNS} FROM shop.sales_aggregates WHERE import_date = '${date}'`,
    );
    return rows.map((row) => row.join(" ")).sort();
  }

  it("transfer() brings every value over exactly, and a second time leaves one copy", async () => {
    const first = await transfer(place.context("small"));
    assertEquals(await imported("2026-11-24"), recount(SMALL));
    const again = await transfer(place.context("small"));
    assertEquals(await imported("2026-11-24"), recount(SMALL));
    assertEquals(again, first);
    const rest = await place.clickhouse("SELECT DISTINCT run_id, import_date FROM shop.sales_aggregates");
    assertEquals(rest, [["small", "2026-11-24"]]);
    const [[age]] = await place.clickhouse(
      "SELECT max(abs(dateDiff('second', imported_at, now64(3)))) FROM shop.sales_aggregates",
    ) as [[string]];
    assert(Number(age) < 600);
    assertEquals(await place.leftovers(), []);
  });

  it("transfer() replaces its own date and leaves the others", async () => {
    await aggregated("before", SMALL.slice(0, 20), OTHER_DATE);
    await transfer(place.context("before", { asOf: OTHER_DATE }));
    await aggregated("small", SMALL.slice(0, 30));
    await transfer(place.context("small"));
    assertEquals(await imported(OTHER_DATE), recount(SMALL.slice(0, 20)));
    assertEquals(await imported("2026-11-24"), recount(SMALL.slice(0, 30)));
  });

  it("transfer() keeps every kopeck of the largest values", async () => {
    const sales: Sale[] = Array.from(
      { length: 9000 },
      (_, i) => [i + 1, 1, 1 + i % 7, 2147483647, "2026-10-01", "999999999999.99", "North"],
    );
    await aggregated("large", sales);
    await transfer(place.context("large"));
    assertEquals(await imported("2026-11-24"), recount(sales));
  });

  it("transfer() streams more rows than it holds at a time", async () => {
    const sales = manySales(5200).map((
      sale,
      i,
    ): Sale => [sale[0], sale[1], i + 1, sale[3], sale[4], sale[5], sale[6]]);
    await aggregated("many", sales);
    const { rowsOut } = await transfer(place.context("many"));
    assertEquals(rowsOut, 1 + 4 + 5200 + 5200);
    assertEquals(await imported("2026-11-24"), recount(sales));
  });

  it("transfer() of no aggregates leaves no rows of its date", async () => {
    await aggregated("none", []);
    await transfer(place.context("none"));
    assertEquals(await imported("2026-11-24"), []);
    assertEquals(await imported(OTHER_DATE), recount(SMALL.slice(0, 20)));
  });

  it("transfer() refuses the aggregates of another run", async () => {
    await aggregated("small", SMALL);
    const error = await assertRejects(
      () => transfer(place.context("other")),
      SalesflowError,
      "computed by run small",
    );
    assertEquals(error.exitCode, 1);
  });

  it("transfer() run several times at once leaves one copy, and readers see none in between", async () => {
    await transfer(place.context("small"));
    let running = true;
    const seen = new Set<string>();
    const reading = (async () => {
      while (running) {
        const [[row]] = await place.clickhouse(
          "SELECT concat(toString(count()), ' ', toString(sum(total_amount))) FROM shop.sales_aggregates WHERE import_date = '2026-11-24'",
        ) as [[string]];
        seen.add(row);
      }
    })();
    await Promise.all([1, 2, 3, 4].map(() => transfer(place.context("small"))));
    running = false;
    await reading;
    assertEquals(seen.size, 1);
    assertEquals(await imported("2026-11-24"), recount(SMALL));
    assertEquals(await place.leftovers(), []);
  });

  it("transfer() removes what a killed transfer left, and nothing of another PostgreSQL's transfers", async () => {
    const own = await place.postgres(stagingPrefix);
    const theirs = `${own.replace(/\d+_\d+_$/, "")}7000000000000000001_5_small_0a1b2c3d`;
    for (const name of [`${own}small_0a1b2c3d`, theirs]) {
      await place.clickhouse(`CREATE TABLE shop.${name} AS shop.sales_aggregates`);
    }
    await transfer(place.context("small"));
    assertEquals(await place.leftovers(), [theirs]);
    await place.clickhouse(`DROP TABLE shop.${theirs}`);
  });

  it("transfer() is refused for another date than that of the files, or of what was loaded", async () => {
    const before = await imported(OTHER_DATE);
    const refused = async (says: string) => {
      const error = await assertRejects(
        () => transfer(place.context("small", { asOf: OTHER_DATE })),
        SalesflowError,
        says,
      );
      assertEquals(error.exitCode, 2);
    };
    await refused(`raw/ of run small is as of 2026-11-24, not ${OTHER_DATE}`);
    await place.store.remove("runs/small/raw");
    await refused(`clean/ of run small is as of 2026-11-24, not ${OTHER_DATE}`);
    // The files are as of another date now, but not what is in the tables.
    await writeRunFiles(place.store, { runId: "small", parts: [SMALL], asOf: OTHER_DATE });
    await refused(`Run small was loaded as of 2026-11-24, not ${OTHER_DATE}`);
    assertEquals(await imported(OTHER_DATE), before);
    await aggregated("small", SMALL);
  });

  it("transfer() publishes nothing and leaves nothing when ClickHouse refuses the rows", async () => {
    await transfer(place.context("small"));
    await place.clickhouse(
      "ALTER TABLE shop.sales_aggregates ADD CONSTRAINT small_only CHECK total_sales < 10",
    );
    const error = await assertRejects(() => transfer(place.context("small")), SalesflowError, "small_only");
    assertEquals(error.exitCode, 1);
    await place.clickhouse("ALTER TABLE shop.sales_aggregates DROP CONSTRAINT small_only");
    assertEquals(await imported("2026-11-24"), recount(SMALL));
    assertEquals(await place.leftovers(), []);
  });

  it("transfer() publishes nothing when what arrived is not what was sent", async () => {
    await transfer(place.context("small"));
    // Somebody's column default or rule that changes values on the way in.
    await place.clickhouse("ALTER TABLE shop.sales_aggregates MODIFY COLUMN total_amount Decimal(18, 1)");
    const error = await assertRejects(
      () => transfer(place.context("small")),
      SalesflowError,
      "Rows changed on the way",
    );
    assertEquals(error.exitCode, 1);
    await place.clickhouse("ALTER TABLE shop.sales_aggregates MODIFY COLUMN total_amount Decimal(18, 2)");
    assertEquals(await place.leftovers(), []);
    await transfer(place.context("small"));
    assertEquals(await imported("2026-11-24"), recount(SMALL));
  });

  it("transfer() is refused with exit code 75 while another one holds the lock for long", async () => {
    await place.postgres(async (db) => {
      await db.query("SELECT pg_advisory_lock(hashtextextended('salesflow:transfer', 0))");
      const error = await assertRejects(
        () => transfer(place.context("small"), { limits: IMPATIENT }),
        SalesflowError,
        "salesflow test",
      );
      assertEquals(error.exitCode, 75);
    });
  });
});
