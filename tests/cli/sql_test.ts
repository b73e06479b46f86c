import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import {
  denoArguments,
  logLines,
  run,
  runOnTerminal,
  type Servers,
  start,
  startServers,
  useHome,
} from "./command.ts";

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
      assertMatch(table.stdout, /│ {3}1 │ a,"b" │ NULL +│\n.*\n1 row\n/);
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

  it("suggests to migrate only when a table of the pipeline is missing", async () => {
    const cases = [
      [
        "postgres",
        "SELECT * FROM shop.sales",
        / is missing a table: .*\(SQLSTATE 42P01\)/,
        /salesflow migrate/,
      ],
      ["postgres", "SELECT * FROM shop.nothing", / has no table shop\.nothing: /, /pg_tables/],
      [
        "clickhouse",
        "SELECT * FROM shop.sales_aggregates",
        / is missing the database shop: /,
        /salesflow migrate/,
      ],
      ["clickhouse", "SELECT * FROM nothing", / has no table nothing: /, /SHOW TABLES/],
    ] as const;
    for (const [database, query, expected, help] of cases) {
      const { code, stderr } = await run(home.args("sql", database, query));
      const { message, remedy } = logLines(stderr).at(-1)!;
      assertEquals(code, 1);
      assertMatch(String(message), expected);
      assertMatch(String(remedy), help);
    }
  });

  it("reads the query from a file", async () => {
    const path = `${home.path}/query.sql`;
    await Deno.writeTextFile(path, "SELECT 1 AS a;\nSELECT 2 AS b;\n");
    const { code, stdout, stderr } = await run(home.args("sql", "postgres", "--file", path, "--format=csv"));
    assertEquals([code, stdout], [0, "b\n2\n"], stderr);
    const missing = await run(home.args("sql", "postgres", "--file", `${path}.no`));
    assertEquals(missing.code, 2);
    assertStringIncludes(missing.stderr, "Cannot read the query from");
  });

  it("reads the query from standard input when it is a hyphen", async () => {
    const child = new Deno.Command(Deno.execPath(), {
      args: denoArguments(home.args("sql", "clickhouse", "-", "--format=csv")),
      cwd: new URL("../..", import.meta.url),
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode("SELECT 'из потока' AS a\n"));
    await writer.close();
    const { stdout, stderr } = await child.output();
    assertEquals(new TextDecoder().decode(stdout), "a\nиз потока\n", new TextDecoder().decode(stderr));
  });

  it("says how to give the query when it is missing, empty or given twice", async () => {
    const cases: [args: string[], message: string][] = [
      [[], "standard input is read only when the query is"],
      [["-"], "The query is empty"],
      [[" "], "The query is empty"],
      [["SELECT 1", "--file", "query.sql"], "The query is given twice"],
    ];
    for (const [args, expected] of cases) {
      const { code, stderr } = await run(home.args("sql", "postgres", ...args));
      const { message, remedy } = logLines(stderr).at(-1)!;
      assertEquals(code, 2, stderr);
      assertStringIncludes(String(message), expected);
      assertStringIncludes(String(remedy), "--file FILE");
    }
  });

  it("prints what ClickHouse sends when the query sets the format", async () => {
    const query = "SELECT 1, 'a\\tb' FORMAT TSV";
    assertEquals((await run(home.args("sql", "clickhouse", query))).stdout, "1\ta\\tb\n");
    const empty = await run(home.args("sql", "clickhouse", "SELECT 1 WHERE false FORMAT TSV"));
    assertEquals([empty.code, empty.stdout], [0, ""], empty.stderr);
    const raw = "SELECT char(27, 91, 49, 109) AS a FORMAT TSVRaw";
    assertEquals((await run(home.args("sql", "clickhouse", raw))).stdout, "\x1b[1m\n");
    const { screen } = await runOnTerminal(home.args("sql", "clickhouse", raw, "--quiet"));
    assertStringIncludes(screen, "\\u001b[1m\r\n");
  });

  it("escapes control characters in tables, and on a terminal in every format", async () => {
    const query = "SELECT E'\\x1b[31mred\\nnext' AS a";
    assertStringIncludes(
      (await run(home.args("sql", "postgres", query))).stdout,
      "│ \\u001b[31mred↵ │\n│ next",
    );
    const csv = home.args("sql", "postgres", query, "--format=csv");
    assertEquals((await run(csv)).stdout, 'a\n"\x1b[31mred\nnext"\n');
    const { screen } = await runOnTerminal([...csv, "--quiet"]);
    assertStringIncludes(screen, '"\\u001b[31mred\r\nnext"');
  });

  it("keeps a table within the terminal, and numbers whole", async () => {
    const query = "SELECT 123456789012 AS number, repeat('x', 200) AS text, repeat('y', 200) AS more";
    const { screen } = await runOnTerminal(home.args("sql", "postgres", query, "--quiet"), {}, {
      columns: 80,
    });
    const lines = screen.split("\r\n").filter((line) => /^[┌│├└]/.test(line));
    assertEquals(lines.map(({ length }) => length), [80, 80, 80, 80, 80]);
    assertMatch(lines[3]!, /^│ 123456789012 │ x+… │ y+… │$/);
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

  it("does not print the tokens that ClickHouse expected", async () => {
    const { stderr } = await run(home.args("sql", "clickhouse", "selec 1"));
    const { message } = logLines(stderr).at(-1)!;
    assertMatch(
      String(message),
      /reported an error: Syntax error: failed at position 1 \(selec\): selec 1 \(code 62, SYNTAX_ERROR\)$/,
    );
  });
});
