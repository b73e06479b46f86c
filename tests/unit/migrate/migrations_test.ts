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
    ["all migrations when none is applied", [], known],
    ["those after the last applied one", [first], [second, third]],
    ["none when all are applied", known, []],
  ];
  for (const [name, applied, expected] of cases) {
    it(`pendingMigrations() returns ${name}`, () => {
      assertEquals(pendingMigrations(known, applied, "X"), expected);
    });
  }

  const refusals: [string, Migration[], string][] = [
    ["a newer version", [...known, { ...third, version: 4, name: "0004_new.sql" }], "newer schema"],
    ["a different checksum", [first, { ...second, checksum: "other" }], "different version of the schema"],
    ["a gap", [first, third], "not migration 2"],
  ];
  for (const [name, applied, message] of refusals) {
    it(`pendingMigrations() throws when the database has ${name}`, () => {
      const error = assertThrows(() => pendingMigrations(known, applied, "X"), SalesflowError, message);
      assertEquals(error.exitCode, 1);
      assert(error.remedy);
    });
  }
});

describe("POSTGRES_MIGRATIONS and CLICKHOUSE_MIGRATIONS", () => {
  for (const [database, migrations] of Object.entries({ POSTGRES_MIGRATIONS, CLICKHOUSE_MIGRATIONS })) {
    it(`${database} has every migration file of its folder, numbered without gaps`, () => {
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
    ["drops statements that are only comments", "-- one\n\n-- two\n;\na;\n-- end\n", ["a"]],
    ["keeps comments within a statement", "-- why\na;", ["-- why\na"]],
    ["returns nothing for an empty file", " \n", []],
  ];
  for (const [name, sql, expected] of cases) {
    it(`splitStatements() ${name}`, () => assertEquals(splitStatements(sql), expected));
  }
});
