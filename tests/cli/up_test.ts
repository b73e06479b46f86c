import { assert, assertEquals, assertMatch } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { run, type Servers, startServers, useHome } from "./command.ts";

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
});
