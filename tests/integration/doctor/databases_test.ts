import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { checkClickHouse, checkPostgres } from "../../../lib/doctor/databases.ts";
import { migrate } from "../../../lib/migrate/migrate.ts";
import { Testbed } from "../tables/harness.ts";

const { signal } = new AbortController();

describe("database checks of doctor", () => {
  let testbed: Testbed;
  const as = (user: string, database = "examined") => {
    const url = new URL(testbed.postgresUrl);
    [url.username, url.password, url.pathname] = [user, "secret", `/${database}`];
    return url.href;
  };

  beforeAll(async () => {
    testbed = await Testbed.open();
    await testbed.sql("CREATE ROLE keeper LOGIN CREATEROLE PASSWORD 'secret'");
    await testbed.sql("CREATE ROLE guest LOGIN PASSWORD 'secret'");
    await testbed.sql("CREATE DATABASE examined OWNER keeper");
  });
  afterAll(() => testbed.close());

  it("checkPostgres() accepts the owner of an empty database, and rejects another user", async () => {
    assertMatch((await checkPostgres(as("keeper"), signal)).message, /tables can be created$/);
    const guest = await checkPostgres(as("guest"), signal);
    assertEquals(guest.state, "failed");
    assertMatch(guest.message, /this user lacks CREATE on the database examined$/);
  });

  it("checkPostgres() lists the missing privileges of each user when the tables exist", async () => {
    await migrate(testbed.context("run", { postgresUrl: as("keeper") }), { roles: true });
    const sql = (text: string) => testbed.postgres((db) => db.query(text), as("keeper"));
    await sql("CREATE ROLE pipeline LOGIN PASSWORD 'secret'; GRANT salesflow_writer TO pipeline");
    for (const user of ["keeper", "pipeline"]) {
      const { state, message } = await checkPostgres(as(user), signal);
      assertEquals(state, "ok", message);
    }
    const stranger = await checkPostgres(as("guest"), signal);
    assertStringIncludes(stranger.message, "USAGE on the schema shop");
    await sql("GRANT USAGE ON SCHEMA shop TO guest; GRANT SELECT ON ALL TABLES IN SCHEMA shop TO guest");
    const reader = await checkPostgres(as("guest"), signal);
    assertEquals(reader.state, "failed");
    assertEquals(/this user lacks (.*)/.exec(reader.message)![1]!.split("; ").sort(), [
      "CREATE on the schema shop",
      "DELETE, INSERT on shop.products",
      "DELETE, INSERT on shop.rejected_sales",
      "DELETE, INSERT on shop.sales_aggregates",
      "INSERT, UPDATE on shop.pipeline_runs",
      "membership in salesflow_writer, the owner of shop.sales",
    ]);
    assertStringIncludes(reader.remedy!, "salesflow_writer");
  });

  it("checkClickHouse() probes a staging table when the server does not support CHECK GRANT", async () => {
    const { state, message } = await checkClickHouse(testbed.clickhouseUrl, signal);
    assertEquals(state, "ok", message);
    assertMatch(message, /tables exist$/);
    assertEquals(
      await testbed.clickhouse("SELECT name FROM system.tables WHERE database = 'shop' ORDER BY name"),
      [["products"], ["sales_aggregates"], ["schema_migrations"]],
    );
    await testbed.clickhouse("DROP TABLE shop.sales_aggregates SYNC");
    assertMatch((await checkClickHouse(testbed.clickhouseUrl, signal)).message, /no tables yet$/);
    await testbed.clickhouse("CREATE VIEW shop.sales_aggregates AS SELECT 1 AS one");
    const view = await checkClickHouse(testbed.clickhouseUrl, signal);
    assertEquals(view.state, "failed");
    assertMatch(view.message, /: cannot (create|fill) a staging table: ClickHouse at .*\(code \d+/);
    assert(!view.message.includes("lacks"), view.message);
  });
});
