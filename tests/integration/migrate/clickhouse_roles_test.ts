import { assert, assertEquals, assertRejects } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { withClickHouse } from "../../../lib/clickhouse/session.ts";
import roles from "../../../lib/migrate/clickhouse/roles.sql" with { type: "text" };
import { splitStatements } from "../../../lib/migrate/migrations.ts";
import { Testbed } from "../tables/harness.ts";

/** Returns the grants (+) and revokes (-) of each role; fails for any other statement. */
function grantsOf(statements: readonly string[]): Record<string, string[]> {
  const grants: Record<string, string[]> = {};
  for (const statement of statements) {
    const [, verb, privileges, target, role] =
      /^(GRANT|REVOKE) (.+) ON (\S+) (?:TO|FROM) (\w+)$/.exec(statement) ??
        [];
    if (!verb) {
      assertEquals(statement, "CREATE ROLE IF NOT EXISTS salesflow_writer, salesflow_reader");
      continue;
    }
    (grants[role!] ??= []).push(`${verb === "GRANT" ? "+" : "-"} ${target}: ${privileges}`);
  }
  return grants;
}

describe("roles of ClickHouse", () => {
  let testbed: Testbed;
  beforeAll(async () => {
    testbed = await Testbed.open();
  });
  afterAll(() => testbed.close());

  /** Parses and formats a statement with ClickHouse; the embedded engine has no roles but can parse their statements. */
  const parse = (statement: string) =>
    withClickHouse(
      { url: testbed.clickhouseUrl, stage: "test", signal: new AbortController().signal },
      async (db) => {
        const [row] = await db.rows("SELECT formatQuerySingleLine({statement:String})", { statement });
        return row![0]!;
      },
    );

  it("roles.sql is valid for ClickHouse's parser, and grants what each role needs", async () => {
    const statements = await Promise.all(splitStatements(roles).map(parse));
    assert(statements.length > 3);
    assertEquals(grantsOf(statements), {
      salesflow_writer: [
        "+ shop.*: SELECT, INSERT, CREATE TABLE, DROP TABLE",
        "+ shop.sales_aggregates: ALTER DELETE",
        "+ shop.products: ALTER DELETE",
        "- shop.sales_aggregates: CREATE TABLE, DROP TABLE",
        "- shop.products: CREATE TABLE, DROP TABLE",
        "- shop.schema_migrations: INSERT, CREATE TABLE, DROP TABLE",
      ],
      salesflow_reader: ["+ shop.sales_aggregates: SELECT", "+ shop.products: SELECT"],
    });
  });

  it("a misspelt privilege fails to parse", async () => {
    await assertRejects(() => parse("GRANT SELECT, INSRT ON shop.* TO salesflow_writer"));
  });
});
