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

/** Runs a line in a shell; returns its stdout. */
async function shell(line: string): Promise<string> {
  const { stdout } = await new Deno.Command("sh", { args: ["-c", line], stderr: "inherit" }).output();
  return new TextDecoder().decode(stdout);
}

/** Runs `up` beside the running one until it is ready; returns its warnings. */
async function warningsOfUp(env: Record<string, string>): Promise<unknown[]> {
  const { child, ended } = start(home.args("up"), env, { keepOutput: true });
  const reader = child.stdout.getReader();
  let text = "";
  while (!text.includes("Press Ctrl-C")) {
    const { value, done } = await reader.read();
    if (done) break;
    text += new TextDecoder().decode(value);
  }
  child.kill("SIGINT");
  const { code, stderr } = await ended;
  await reader.cancel();
  assertEquals(code, 0, stderr);
  const lines = stderr.trim() === "" ? [] : logLines(stderr);
  return lines.filter(({ level }) => level === "WARN").map(({ message }) => message);
}

describe("salesflow up", () => {
  it("serves other commands by its URLs and by its home", async () => {
    const { postgresUrl, clickhouseUrl } = servers;
    const env = { SALESFLOW_POSTGRES_URL: postgresUrl, SALESFLOW_CLICKHOUSE_URL: clickhouseUrl };
    const args = ["run", "--rows", "500", "--as-of", "2026-11-24"];
    const { code, stderr } = await run([...args, "--home", `${home.path}/elsewhere`], env);
    assertEquals(code, 0, stderr);
    const count = "SELECT count(*) AS rows FROM shop.sales_aggregates WHERE level = 'region'";
    for (const database of ["postgres", "clickhouse"]) {
      assertEquals(
        (await run(["sql", database, count, "--format=csv", "--home", home.path])).stdout,
        "rows\n4\n",
      );
    }
  });

  it("prints commands of its own that work with this home, as they must be typed", () => {
    for (const database of ["postgres", "clickhouse"]) {
      assertStringIncludes(
        servers.output,
        `\n  salesflow sql ${database} "SELECT version()" --home ${home.path}\n`,
      );
    }
  });

  it("prints shell commands that work and have no password in their arguments", async () => {
    const { postgresUrl, clickhouseUrl, output } = servers;
    const [psql, curl] = output.split("\n").filter((line) => line.startsWith("  "));
    for (const [line, url] of [[psql!, postgresUrl], [curl!, clickhouseUrl]] as const) {
      const { password } = new URL(url);
      const [before, command] = /^(.*?)((?:psql|curl) .*)$/.exec(line)!.slice(1);
      assert(before!.includes(password) && !command!.includes(password), line);
    }
    // Replaces psql by a command that prints its environment and argument.
    const shown = psql!.replace("psql", `sh -c 'echo "$PGPASSWORD $0"'`);
    assertEquals(
      await shell(shown),
      `${new URL(postgresUrl).password} ${Object.assign(new URL(postgresUrl), { password: "" }).href}\n`,
    );
    assertMatch(await shell(curl!.replace("curl", "curl -s")), /^\d+\.\d+/);
  });

  it("prints JDBC URLs without passwords, and which protocol ClickHouse lacks", () => {
    const { postgresUrl, clickhouseUrl, output } = servers;
    const [postgres, clickhouse] = [new URL(postgresUrl), new URL(clickhouseUrl)];
    assertEquals(output.split("\n").filter((line) => line.includes("jdbc:")), [
      `  jdbc:postgresql://${postgres.host}/salesflow?user=salesflow`,
      `  jdbc:clickhouse:${clickhouse.origin}/default?user=default&compress=false`,
    ]);
    assertMatch(output, /HTTP only.*no native protocol \(port 9000\)/);
  });

  it("warns when other commands use configured servers", async () => {
    assertEquals(await warningsOfUp({ SALESFLOW_POSTGRES_URL: servers.postgresUrl }), [
      "other commands use the servers of SALESFLOW_POSTGRES_URL, not the embedded ones that run here",
    ]);
    assertEquals(await warningsOfUp({}), []);
  });
});
