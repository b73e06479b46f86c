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

describe("salesflow with an invalid configuration", () => {
  const cases: [what: string, env: () => Record<string, string>, code: number, message: RegExp][] = [
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
  for (const [what, env, expected, message] of cases) {
    it(`exits with ${expected} and a message when ${what}`, async () => {
      const args = ["migrate", "--as-of", "2026-11-24", "--home", `${home}/wrong`];
      const { code, stdout, stderr } = await run(args, { SALESFLOW_RETRIES: "0", ...env() });
      assertEquals([code, stdout], [expected, ""], stderr);
      assertMatch(stderr, message);
      const error = logLines(stderr).at(-1)!;
      assertEquals([error.level, error.logger, error.exit_code], ["ERROR", "salesflow.migrate", expected]);
      for (const secret of [SECRET, new URL(servers.postgresUrl).password]) {
        assert(!stderr.includes(secret), stderr);
      }
    });
  }

  it("warns once about remote servers without encryption", async () => {
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

  it("reports both databases in doctor when both fail", async () => {
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
