import { assertEquals, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  CLICKHOUSE_TABLES,
  explainMissingSchema,
  explainMissingTable,
  POSTGRES_TABLES,
  type TableNames,
} from "../../../lib/domain/tables.ts";

const MIGRATIONS = new URL("../../../lib/migrate/", import.meta.url);
const NAMES: TableNames = {
  tables: ["sales"],
  container: "schema",
  listTables: "list tables",
  listContainers: "list schemas",
};

/** Returns the tables that the files of a folder create and do not drop again. */
async function createdTables(folder: string): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of Deno.readDir(new URL(folder, MIGRATIONS))) {
    const sql = await Deno.readTextFile(new URL(`${folder}/${name}`, MIGRATIONS));
    const found = (pattern: RegExp) => [...sql.matchAll(pattern)].map((match) => match[1]!);
    const dropped = found(/^DROP TABLE (?:IF EXISTS )?shop\.(\w+)/gm);
    const created = found(/^CREATE TABLE (?:IF NOT EXISTS )?shop\.(\w+)/gm);
    names.push(...created.filter((table) => !dropped.includes(table)));
  }
  return names.sort();
}

describe("tables of the pipeline", () => {
  it("are those that the migrations create", async () => {
    assertEquals([...POSTGRES_TABLES].sort(), await createdTables("postgres"));
    assertEquals([...CLICKHOUSE_TABLES].sort(), await createdTables("clickhouse"));
  });
});

describe("explainMissingTable()", () => {
  const cases: [name: string | undefined, summary: string, remedy: string][] = [
    ["shop.sales", "is missing a table", "salesflow migrate"],
    ["sales", "has no table sales", "write shop.sales"],
    ["default.sales", "has no table default.sales", "write shop.sales"],
    ["other.sales", "has no table other.sales", "list tables"],
    ["shop.nothing", "has no table shop.nothing", "list tables"],
    ["nothing", "has no table nothing", "list tables"],
    [undefined, "has no such table", "list tables"],
  ];
  for (const [name, summary, remedy] of cases) {
    it(`says "${summary}" and "${remedy}" for ${name}`, () => {
      const explanation = explainMissingTable(name, NAMES);
      assertEquals(explanation.summary, summary);
      assertStringIncludes(explanation.remedy, remedy);
    });
  }
});

describe("explainMissingSchema()", () => {
  it("suggests migrations for the pipeline's schema only", () => {
    assertStringIncludes(explainMissingSchema("shop", NAMES).remedy, "salesflow migrate");
    assertEquals(explainMissingSchema("nope", NAMES), {
      summary: "has no schema nope",
      remedy: "To list schemas: list schemas",
    });
    assertEquals(explainMissingSchema(undefined, NAMES).summary, "has no schema of this name");
  });
});
