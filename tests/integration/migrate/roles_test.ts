import { assertEquals, assertRejects } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { aggregate } from "../../../lib/aggregate/aggregate.ts";
import { SalesflowError } from "../../../lib/console/errors.ts";
import { load } from "../../../lib/load/load.ts";
import { migrate } from "../../../lib/migrate/migrate.ts";
import { transfer } from "../../../lib/transfer/transfer.ts";
import { verify } from "../../../lib/verify/verify.ts";
import { formatTotals, makeSales, SELECT_TOTALS, Testbed, writeRunFiles } from "../tables/harness.ts";

const SALES = makeSales(50);

describe("migrate() with roles", () => {
  let testbed: Testbed;
  /** Returns the URL of a user for this test's database. */
  const urlOf = (user: string) => {
    const url = new URL(testbed.postgresUrl);
    [url.username, url.password, url.pathname] = [user, "secret", "/least"];
    return url.href;
  };
  const query = (user: string, text: string) => testbed.postgres((db) => db.query(text), urlOf(user));

  beforeAll(async () => {
    testbed = await Testbed.open();
    // Migrates as a user that is not a superuser but may create roles, and schemas in its own database.
    await testbed.sql("CREATE ROLE keeper LOGIN CREATEROLE PASSWORD 'secret'");
    await testbed.sql("CREATE DATABASE least OWNER keeper");
    await migrate(testbed.context("run", { postgresUrl: urlOf("keeper") }), { roles: true });
    for (
      const [user, role] of [["pipeline", "salesflow_writer"], ["night_shift", "salesflow_writer"], [
        "analyst",
        "salesflow_reader",
      ]]
    ) {
      await query("keeper", `CREATE ROLE ${user} LOGIN PASSWORD 'secret'`);
      await query("keeper", `GRANT ${role} TO ${user}`);
    }
    await writeRunFiles(testbed.store, {
      runId: "run",
      parts: [SALES],
      rejected: [[0, 3, "malformed_row", "Иванов, 4000"]],
    });
  });
  afterAll(() => testbed.close());

  it("migrate() lets several writers run every stage in turn, and can create the roles again", async () => {
    for (const user of ["pipeline", "night_shift", "pipeline"]) {
      const context = testbed.context("run", { postgresUrl: urlOf(user) });
      for (const stage of [migrate, load, aggregate, transfer, verify]) await stage(context);
    }
    await migrate(testbed.context("run", { postgresUrl: urlOf("keeper") }), { roles: true });
    await load(testbed.context("run", { postgresUrl: urlOf("keeper") }));
    await load(testbed.context("run", { postgresUrl: urlOf("night_shift") }));
  });

  it("migrate() lets a reader read all but the text of rejected rows, and change nothing", async () => {
    await load(testbed.context("run", { postgresUrl: urlOf("pipeline") }));
    assertEquals((await query("analyst", SELECT_TOTALS))[0]!.totals, formatTotals(SALES));
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
      await assertRejects(() => query("analyst", text), SalesflowError, "denied permission");
    }
  });

  it("migrate() grants a writer only what the pipeline needs", async () => {
    const forbidden = [
      "DROP TABLE shop.products",
      "ALTER TABLE shop.rejected_sales ADD COLUMN a integer",
      "INSERT INTO shop.schema_migrations (version, name, checksum) VALUES (2, 'x', 'x')",
      "CREATE ROLE another",
      "CREATE SCHEMA another",
    ];
    for (const text of forbidden) {
      await assertRejects(() => query("pipeline", text), SalesflowError, "denied permission");
    }
  });
});
