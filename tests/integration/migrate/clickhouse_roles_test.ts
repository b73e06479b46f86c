import { assert, assertEquals, assertRejects } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { withClickHouse } from "../../../lib/clickhouse/session.ts";
import roles from "../../../lib/migrate/clickhouse/roles.sql" with { type: "text" };
import { splitStatements } from "../../../lib/migrate/migrations.ts";
import { Place } from "../tables/harness.ts";

/** What a writer and a reader may, in ClickHouse's words; a statement of any other form is not understood here. */
function rightsOf(statements: readonly string[]): Record<string, string[]> {
  const rights: Record<string, string[]> = {};
  for (const statement of statements) {
    const [, verb, what, where, role] = /^(GRANT|REVOKE) (.+) ON (\S+) (?:TO|FROM) (\w+)$/.exec(statement) ??
      [];
    if (!verb) {
      assertEquals(statement, "CREATE ROLE IF NOT EXISTS salesflow_writer, salesflow_reader");
      continue;
    }
    (rights[role!] ??= []).push(`${verb === "GRANT" ? "+" : "-"} ${where}: ${what}`);
  }
  return rights;
}

describe("roles of ClickHouse", () => {
  let place: Place;
  beforeAll(async () => {
    place = await Place.open();
  });
  afterAll(() => place.close());

  /** The statement as ClickHouse's own parser reads it; the embedded engine has no roles, but their grammar. */
  const understood = (statement: string) =>
    withClickHouse(
      { url: place.clickhouseUrl, stage: "test", signal: new AbortController().signal },
      async (db) => {
        const [row] = await db.rows("SELECT formatQuerySingleLine({statement:String})", { statement });
        return row![0]!;
      },
    );

  it("are made by statements that ClickHouse's parser understands", async () => {
    const statements = await Promise.all(splitStatements(roles).map(understood));
    assert(statements.length > 3);
    assertEquals(rightsOf(statements), {
      salesflow_writer: [
        "+ shop.*: SELECT, INSERT, CREATE TABLE, DROP TABLE",
        "+ shop.sales_aggregates: ALTER DELETE",
        "- shop.sales_aggregates: CREATE TABLE, DROP TABLE",
        "- shop.schema_migrations: INSERT, CREATE TABLE, DROP TABLE",
      ],
      salesflow_reader: ["+ shop.sales_aggregates: SELECT"],
    });
  });

  it("would be found out when a statement had a slip in it", async () => {
    await assertRejects(() => understood("GRANT SELECT, INSRT ON shop.* TO salesflow_writer"));
  });
});
