import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { logLines, run, type Servers, start, startServers, useHome } from "./command.ts";

const home = useHome();
let servers: Servers;
beforeAll(async () => {
  servers = await startServers(home.path);
});
afterAll(async () => {
  assertEquals(await servers.stop(), 0);
});

async function sql(database: "postgres" | "clickhouse", query: string): Promise<Record<string, string>[]> {
  const { code, stdout, stderr } = await run(home.args("sql", database, query, "--format", "json"));
  assertEquals(code, 0, stderr);
  return JSON.parse(stdout);
}

describe("salesflow sql", () => {
  it("prints tables, JSON and CSV", async () => {
    const query = async (database: string, statement: string, format: string) =>
      await run(["sql", database, statement, "--format", format, "--home", home.path]);
    for (const database of ["postgres", "clickhouse"]) {
      const statement = "SELECT 1 AS one, 'a,\"b\"' AS two, NULL AS three";
      const table = await query(database, statement, "table");
      assertMatch(table.stdout, /│ one │ two +│ three │/);
      assertMatch(table.stdout, /│ 1 +│ a,"b" │ NULL +│\n.*\n1 row\n/);
      assertEquals(JSON.parse((await query(database, statement, "json")).stdout), [{
        one: "1",
        two: 'a,"b"',
        three: null,
      }]);
      assertEquals((await query(database, statement, "csv")).stdout, 'one,two,three\n1,"a,""b""",\n');
    }
  });

  it("numbers columns of equal names in JSON", async () => {
    for (const database of ["postgres", "clickhouse"]) {
      const query = "SELECT 1 AS a, 2 AS a_2, 3 AS b";
      const twice = database === "postgres" ? "SELECT 1 AS a, 2 AS a_2, 3 AS a" : query;
      const [row] = await sql(database as "postgres", twice);
      assertEquals(Object.values(row!), ["1", "2", "3"], database);
    }
  });

  it("explains an error of PostgreSQL and suggests a remedy", async () => {
    const query = "SELECT * FROM shop.nothing";
    const { code, stderr } = await run(["sql", "postgres", query, "--home", home.path]);
    const { message, remedy } = logLines(stderr).at(-1)!;
    assertEquals(code, 1);
    assertMatch(String(message), /^PostgreSQL at .* is missing a table: .*nothing.*\(SQLSTATE 42P01\)/);
    assertStringIncludes(String(remedy), "salesflow migrate");
  });

  it("exits with 75 on Ctrl-C, without mentioning a run", async () => {
    const running = start(["sql", "postgres", "SELECT pg_sleep(60)", "--home", home.path]);
    const active = "SELECT count(*) AS active FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(60)%'";
    while ((await sql("postgres", active))[0]!.active === "0");
    running.child.kill("SIGINT");
    const { code, stdout, stderr } = await running.ended;
    assertEquals([code, stdout], [75, ""], stderr);
    assertStringIncludes(stderr, "Stopped by SIGINT");
    assert(!stderr.includes("Completed work"), stderr);
  });

  it("exits with 1 and the message of the database when a query is invalid", async () => {
    for (
      const [database, message] of [["postgres", "syntax error"], ["clickhouse", "Syntax error"]] as const
    ) {
      const { code, stdout, stderr } = await run(["sql", database, "SELEC 1", "--home", home.path]);
      assertEquals([code, stdout], [1, ""]);
      assertStringIncludes(stderr, message);
    }
  });
});
