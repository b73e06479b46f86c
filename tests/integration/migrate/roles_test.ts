import { assertEquals, assertRejects } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { aggregate } from "../../../lib/aggregate/aggregate.ts";
import { SalesflowError } from "../../../lib/console/errors.ts";
import { load } from "../../../lib/load/load.ts";
import { migrate } from "../../../lib/migrate/migrate.ts";
import { transfer } from "../../../lib/transfer/transfer.ts";
import { verify } from "../../../lib/verify/verify.ts";
import { manySales, Place, TOTALS, totalsOf, writeRunFiles } from "../tables/harness.ts";

const SALES = manySales(50);

describe("migrate() with roles", () => {
  let place: Place;
  /** URL of a user who logs in to the database of this test. */
  const as = (user: string) => {
    const url = new URL(place.postgresUrl);
    [url.username, url.password, url.pathname] = [user, "secret", "/least"];
    return url.href;
  };
  const query = (user: string, text: string) => place.postgres((db) => db.query(text), as(user));

  beforeAll(async () => {
    place = await Place.open();
    // Who migrates is no superuser: it may make roles, and schemas in its database.
    await place.sql("CREATE ROLE keeper LOGIN CREATEROLE PASSWORD 'secret'");
    await place.sql("CREATE DATABASE least OWNER keeper");
    await migrate(place.context("run", { postgresUrl: as("keeper") }), { roles: true });
    for (
      const [user, role] of [["pipeline", "salesflow_writer"], ["night_shift", "salesflow_writer"], [
        "analyst",
        "salesflow_reader",
      ]]
    ) {
      await query("keeper", `CREATE ROLE ${user} LOGIN PASSWORD 'secret'`);
      await query("keeper", `GRANT ${role} TO ${user}`);
    }
    await writeRunFiles(place.store, {
      runId: "run",
      parts: [SALES],
      rejected: [[0, 3, "malformed_row", "Иванов, 4000"]],
    });
  });
  afterAll(() => place.close());

  it("migrate() lets a writer run every stage, one after another writer, and makes the roles twice", async () => {
    for (const user of ["pipeline", "night_shift", "pipeline"]) {
      const context = place.context("run", { postgresUrl: as(user) });
      for (const stage of [migrate, load, aggregate, transfer, verify]) await stage(context);
    }
    await migrate(place.context("run", { postgresUrl: as("keeper") }), { roles: true });
    await load(place.context("run", { postgresUrl: as("keeper") }));
    await load(place.context("run", { postgresUrl: as("night_shift") }));
  });

  it("migrate() lets a reader read figures, but neither the text of rejected rows nor change anything", async () => {
    await load(place.context("run", { postgresUrl: as("pipeline") }));
    assertEquals((await query("analyst", TOTALS))[0]!.totals, totalsOf(SALES));
    for (const table of ["products", "pipeline_runs", "sales_aggregates"]) {
      await query("analyst", `SELECT * FROM shop.${table}`);
    }
    await query("analyst", "SELECT run_id, file, line, reason FROM shop.rejected_sales");
    const forbidden = [
      "SELECT raw FROM shop.rejected_sales",
      "INSERT INTO shop.sales VALUES (999, 1, 1, 1, '2026-10-01', 1, 'North')",
      "UPDATE shop.sales_aggregates SET total_amount = 0",
      "DELETE FROM shop.products",
      "TRUNCATE shop.sales",
      "DROP TABLE shop.sales",
      "CREATE TABLE shop.mine (a integer)",
    ];
    for (const text of forbidden) {
      await assertRejects(() => query("analyst", text), SalesflowError, "does not allow this");
    }
  });

  it("migrate() gives a writer no more than the pipeline needs", async () => {
    const forbidden = [
      "DROP TABLE shop.products",
      "ALTER TABLE shop.rejected_sales ADD COLUMN a integer",
      "INSERT INTO shop.schema_migrations (version, name, checksum) VALUES (2, 'x', 'x')",
      "CREATE ROLE another",
      "CREATE SCHEMA another",
    ];
    for (const text of forbidden) {
      await assertRejects(() => query("pipeline", text), SalesflowError, "does not allow this");
    }
  });
});
