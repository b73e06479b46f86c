import { assert, assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { SalesflowError } from "../../../lib/console/errors.ts";
import {
  CLICKHOUSE_MIGRATIONS,
  type Migration,
  pendingMigrations,
  POSTGRES_MIGRATIONS,
  splitStatements,
} from "../../../lib/migrate/migrations.ts";

const known: Migration[] = [1, 2, 3].map((version) => ({
  version,
  name: `000${version}_step.sql`,
  sql: "",
  checksum: `sum ${version}`,
}));
const [first, second, third] = known as [Migration, Migration, Migration];

describe("pendingMigrations()", () => {
  const cases: [string, Migration[], Migration[]][] = [
    ["everything when nothing was applied", [], known],
    ["what follows the last one", [first], [second, third]],
    ["nothing when all were applied", known, []],
  ];
  for (const [name, applied, expected] of cases) {
    it(`pendingMigrations() returns ${name}`, () => {
      assertEquals(pendingMigrations(known, applied, "X"), expected);
    });
  }

  const refusals: [string, Migration[], string][] = [
    ["a newer version", [...known, { ...third, version: 4, name: "0004_new.sql" }], "newer schema"],
    ["another text", [first, { ...second, checksum: "other" }], "another version of the schema"],
    ["a gap", [first, third], "lacks migration 2"],
  ];
  for (const [name, applied, says] of refusals) {
    it(`pendingMigrations() throws when the database has ${name}`, () => {
      const error = assertThrows(() => pendingMigrations(known, applied, "X"), SalesflowError, says);
      assertEquals(error.exitCode, 1);
      assert(error.remedy);
    });
  }
});

describe("migrations", () => {
  for (const [database, migrations] of Object.entries({ POSTGRES_MIGRATIONS, CLICKHOUSE_MIGRATIONS })) {
    it(`${database} are numbered without gaps, and every file of the folder is among them`, () => {
      assertEquals(migrations.map(({ version }) => version), migrations.map((_, i) => i + 1));
      const folder = new URL(
        `../../../lib/migrate/${database.split("_")[0]!.toLowerCase()}/`,
        import.meta.url,
      );
      const files = [...Deno.readDirSync(folder)].map(({ name }) => name).filter((name) =>
        /^\d{4}_/.test(name)
      );
      assertEquals(migrations.map(({ name }) => name), files.sort());
    });
  }
});

describe("splitStatements()", () => {
  const cases: [string, string, string[]][] = [
    ["splits at semicolons that end a line", "a;\nb\nc;\n", ["a", "b\nc"]],
    ["keeps a semicolon inside a line", "a 'x;y';\nb", ["a 'x;y'", "b"]],
    ["drops what is only comments", "-- one\n\n-- two\n;\na;\n-- end\n", ["a"]],
    ["keeps comments within a statement", "-- why\na;", ["-- why\na"]],
    ["finds nothing in nothing", " \n", []],
  ];
  for (const [name, sql, expected] of cases) {
    it(`splitStatements() ${name}`, () => assertEquals(splitStatements(sql), expected));
  }
});
