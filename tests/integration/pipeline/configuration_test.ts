import { assert, assertEquals, assertMatch } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { logLines, run, type Servers, startServers } from "../../cli/command.ts";

const SECRET = "Geheim42";

let home: string;
let servers: Servers;

beforeAll(async () => {
  home = await Deno.makeTempDir({ prefix: "salesflow-configuration-" });
  servers = await startServers(home);
});
afterAll(async () => {
  assertEquals(await servers.stop(), 0);
  await Deno.remove(home, { recursive: true });
});

function change(
  url: string,
  changes: Partial<Pick<URL, "password" | "port" | "hostname" | "pathname">>,
): string {
  return Object.assign(new URL(url), changes).href;
}

describe("salesflow up", () => {
  it("serves other commands by the URLs that it prints, as by its home", async () => {
    const { postgresUrl, clickhouseUrl } = servers;
    const env = { SALESFLOW_POSTGRES_URL: postgresUrl, SALESFLOW_CLICKHOUSE_URL: clickhouseUrl };
    const args = ["run", "--rows", "500", "--as-of", "2026-11-24"];
    const { code, stderr } = await run([...args, "--home", `${home}/elsewhere`], env);
    assertEquals(code, 0, stderr);
    const count = "SELECT count(*) AS rows FROM shop.sales_aggregates WHERE level = 'region'";
    for (const database of ["postgres", "clickhouse"]) {
      assertEquals((await run(["sql", database, count, "--format=csv", "--home", home])).stdout, "rows\n4\n");
    }
  });
});

describe("salesflow up, for a person at a shell", () => {
  it("prints commands that work, and whose arguments hold no password", async () => {
    const { postgresUrl, clickhouseUrl, said } = servers;
    const [psql, curl] = said.split("\n").filter((line) => line.startsWith("  "));
    for (const [line, url] of [[psql!, postgresUrl], [curl!, clickhouseUrl]] as const) {
      const { password } = new URL(url);
      const [before, command] = /^(.*?)((?:psql|curl) .*)$/.exec(line)!.slice(1);
      assert(before!.includes(password) && !command!.includes(password), line);
    }
    // A name before each command that tells what it was given.
    const shown = psql!.replace("psql", `sh -c 'echo "$PGPASSWORD $0"'`);
    assertEquals(
      await shell(shown),
      `${new URL(postgresUrl).password} ${change(postgresUrl, { password: "" })}\n`,
    );
    assertMatch(await shell(curl!.replace("curl", "curl -s")), /^\d+\.\d+/);
  });
});

async function shell(line: string): Promise<string> {
  const { stdout } = await new Deno.Command("sh", { args: ["-c", line], stderr: "inherit" }).output();
  return new TextDecoder().decode(stdout);
}

describe("salesflow with a wrong configuration", () => {
  const cases: [what: string, env: () => Record<string, string>, code: number, words: RegExp][] = [
    [
      "PostgreSQL's password is wrong",
      () => ({
        SALESFLOW_POSTGRES_URL: change(servers.postgresUrl, { password: SECRET }),
        SALESFLOW_CLICKHOUSE_URL: servers.clickhouseUrl,
      }),
      1,
      /password|refuses|denied/i,
    ],
    [
      "PostgreSQL's database does not exist",
      () => ({
        SALESFLOW_POSTGRES_URL: change(servers.postgresUrl, { pathname: "/nowhere" }),
        SALESFLOW_CLICKHOUSE_URL: servers.clickhouseUrl,
      }),
      1,
      /nowhere/,
    ],
    [
      "ClickHouse's password is wrong",
      () => ({
        SALESFLOW_POSTGRES_URL: servers.postgresUrl,
        SALESFLOW_CLICKHOUSE_URL: change(servers.clickhouseUrl, { password: SECRET }),
      }),
      1,
      /password|refuses|denied|authentication/i,
    ],
    [
      "nothing listens there",
      () => ({
        SALESFLOW_POSTGRES_URL: change(servers.postgresUrl, { port: "1", password: SECRET }),
        SALESFLOW_CLICKHOUSE_URL: servers.clickhouseUrl,
      }),
      75,
      /127\.0\.0\.1:1/,
    ],
    [
      "something else listens there",
      () => ({
        SALESFLOW_POSTGRES_URL: servers.postgresUrl,
        SALESFLOW_CLICKHOUSE_URL: change(servers.clickhouseUrl, {
          port: new URL(servers.postgresUrl).port,
          password: SECRET,
        }),
      }),
      75,
      /ClickHouse at/,
    ],
  ];
  for (const [what, env, expected, words] of cases) {
    it(`ends with ${expected} and clear words when ${what}`, async () => {
      const args = ["migrate", "--as-of", "2026-11-24", "--home", `${home}/wrong`];
      const { code, stdout, stderr } = await run(args, { SALESFLOW_RETRIES: "0", ...env() });
      assertEquals([code, stdout], [expected, ""], stderr);
      assertMatch(stderr, words);
      const error = logLines(stderr).at(-1)!;
      assertEquals([error.level, error.logger, error.exit_code], ["ERROR", "salesflow.migrate", expected]);
      for (const secret of [SECRET, new URL(servers.postgresUrl).password]) {
        assert(!stderr.includes(secret), stderr);
      }
    });
  }

  it("is warned in one line that a server of another machine is not asked to encrypt", async () => {
    const env = {
      SALESFLOW_POSTGRES_URL: `postgres://me:${SECRET}@db.invalid/shop`,
      SALESFLOW_CLICKHOUSE_URL: "http://ch.invalid",
      SALESFLOW_RETRIES: "0",
    };
    const { stderr } = await run(["migrate", "--as-of", "2026-11-24", "--home", `${home}/plain`], env);
    const warnings = stderr.split("\n").filter((line) => line.includes("unencrypted"));
    assertEquals(warnings.length, 1, stderr);
    for (const server of ["db.invalid:5432/shop", "ch.invalid:8123"]) {
      assert(warnings[0]!.includes(server), warnings[0]);
    }
    assert(!stderr.includes(SECRET));
    const tls = { SALESFLOW_POSTGRES_URL: `${env.SALESFLOW_POSTGRES_URL}?sslmode=verify-full` };
    const query = await run(["sql", "postgres", "SELECT 1"], { ...env, ...tls });
    assert(!query.stderr.includes("unencrypted"), query.stderr);
  });

  it("is told what is wrong by doctor, everything at once", async () => {
    const { code, stdout, stderr } = await run(["doctor", "--home", `${home}/wrong`], {
      SALESFLOW_POSTGRES_URL: change(servers.postgresUrl, { password: SECRET }),
      SALESFLOW_CLICKHOUSE_URL: change(servers.clickhouseUrl, { port: "1", password: SECRET }),
      SALESFLOW_RETRIES: "0",
    });
    assert(code === 1 || code === 75, stderr);
    for (const subject of ["PostgreSQL", "ClickHouse"]) assertMatch(stdout, new RegExp(`FAIL +${subject}`));
    assert(!`${stdout}${stderr}`.includes(SECRET));
  });
});
