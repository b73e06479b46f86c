import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { checkClickHouse, checkPostgres } from "../../../lib/doctor/databases.ts";
import { migrate } from "../../../lib/migrate/migrate.ts";
import { Place } from "../tables/harness.ts";

const { signal } = new AbortController();

describe("doctor's checks of a database", () => {
  let place: Place;
  const as = (user: string, database = "examined") => {
    const url = new URL(place.postgresUrl);
    [url.username, url.password, url.pathname] = [user, "secret", `/${database}`];
    return url.href;
  };

  beforeAll(async () => {
    place = await Place.open();
    await place.sql("CREATE ROLE keeper LOGIN CREATEROLE PASSWORD 'secret'");
    await place.sql("CREATE ROLE guest LOGIN PASSWORD 'secret'");
    await place.sql("CREATE DATABASE examined OWNER keeper");
  });
  afterAll(() => place.close());

  it("checkPostgres() finds an owner fit to migrate, a guest not", async () => {
    assertMatch((await checkPostgres(as("keeper"), signal)).found, /tables can be made$/);
    const guest = await checkPostgres(as("guest"), signal);
    assertEquals(guest.state, "broken");
    assertMatch(guest.found, /this user lacks CREATE on the database examined$/);
  });

  it("checkPostgres() names what each user lacks once there are tables", async () => {
    await migrate(place.context("run", { postgresUrl: as("keeper") }), { roles: true });
    const sql = (text: string) => place.postgres((db) => db.query(text), as("keeper"));
    await sql("CREATE ROLE pipeline LOGIN PASSWORD 'secret'; GRANT salesflow_writer TO pipeline");
    for (const user of ["keeper", "pipeline"]) {
      const { state, found } = await checkPostgres(as(user), signal);
      assertEquals(state, "fine", found);
    }
    const stranger = await checkPostgres(as("guest"), signal);
    assertStringIncludes(stranger.found, "USAGE on the schema shop");
    await sql("GRANT USAGE ON SCHEMA shop TO guest; GRANT SELECT ON ALL TABLES IN SCHEMA shop TO guest");
    const reader = await checkPostgres(as("guest"), signal);
    assertEquals(reader.state, "broken");
    assertEquals(/this user lacks (.*)/.exec(reader.found)![1]!.split("; ").sort(), [
      "CREATE on the schema shop",
      "DELETE, INSERT on shop.products",
      "DELETE, INSERT on shop.rejected_sales",
      "DELETE, INSERT on shop.sales_aggregates",
      "INSERT, UPDATE on shop.pipeline_runs",
      "membership in salesflow_writer, who owns shop.sales",
    ]);
    assertStringIncludes(reader.remedy!, "salesflow_writer");
  });

  it("checkClickHouse() tries what a transfer does where the engine has no rights to ask for", async () => {
    const { state, found } = await checkClickHouse(place.clickhouseUrl, signal);
    assertEquals(state, "fine", found);
    assertMatch(found, /tables are there$/);
    assertEquals(
      await place.clickhouse("SELECT name FROM system.tables WHERE database = 'shop' ORDER BY name"),
      [["sales_aggregates"], ["schema_migrations"]],
    );
    await place.clickhouse("DROP TABLE shop.sales_aggregates SYNC");
    assertMatch((await checkClickHouse(place.clickhouseUrl, signal)).found, /not made yet$/);
    await place.clickhouse("CREATE VIEW shop.sales_aggregates AS SELECT 1 AS one");
    assertEquals((await checkClickHouse(place.clickhouseUrl, signal)).state, "broken");
  });
});
