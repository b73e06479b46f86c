import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { logLines, run, runOnTerminal } from "./command.ts";
import { documentedFields } from "./json_fields.ts";

describe("salesflow config", () => {
  let folder: string;
  let env: Record<string, string>;
  beforeAll(async () => {
    folder = await Deno.makeTempDir({ prefix: "salesflow-config-" });
    env = { SALESFLOW_ENV_FILE: `${folder}/.env`, SALESFLOW_CONFIG: `${folder}/salesflow.yaml` };
    await write(
      "SALESFLOW_ROWS=500\nSALESFLOW_CLICKHOUSE_URL=http://u:geheim@h:1\nAWS_SECRET_ACCESS_KEY=geheim\n",
      "rows: 7\nseed: 3\nmax_rejected: 0.10\npostgres_url: postgres://u:geheim@h/d\n",
    );
  });
  afterAll(() => Deno.remove(folder, { recursive: true }));

  async function write(dotenv: string, yaml: string): Promise<void> {
    await Deno.writeTextFile(`${folder}/.env`, dotenv);
    await Deno.writeTextFile(`${folder}/salesflow.yaml`, yaml);
  }

  it("shows each value and where it comes from, by one order, without secrets", async () => {
    const { code, stdout, stderr } = await run(["config", "--json"], { ...env, SALESFLOW_SEED: "9" });
    assertEquals([code, stderr], [0, ""]);
    const settings: Record<string, string | null>[] = JSON.parse(stdout);
    assertEquals(Object.keys(settings[0]!), await documentedFields("config --json"));
    const shown = Object.fromEntries(settings.map(({ variable, value, from }) => [variable, [value, from]]));
    assertEquals(shown.SALESFLOW_SEED, ["9", "environment"]);
    assertEquals(shown.SALESFLOW_ROWS, ["500", `${folder}/.env`]);
    assertEquals(shown.SALESFLOW_MAX_REJECTED, ["0.10", `${folder}/salesflow.yaml`]);
    assertEquals(shown.SALESFLOW_POSTGRES_URL, ["postgres://…", `${folder}/salesflow.yaml`]);
    assertEquals(shown.SALESFLOW_CLICKHOUSE_URL, ["http://…", `${folder}/.env`]);
    assertEquals(shown.AWS_SECRET_ACCESS_KEY, ["…", `${folder}/.env`]);
    assertEquals(shown.SALESFLOW_PRODUCTS, [null, "default"]);
    const table = await run(["config"], env);
    assertMatch(table.stdout, /SALESFLOW_ROWS +│ 500 +│ \/.*\.env +│/);
    for (const text of [stdout, table.stdout]) assert(!text.includes("geheim"), text);
  });

  it("is what other commands use, after their flags", async () => {
    const preview = async (...args: string[]) => {
      const { stdout, stderr } = await run(
        ["run", "--dry-run", "--json", "--home", folder, ...args],
        env,
      );
      assertEquals(stderr, "");
      const { rows, seed } = JSON.parse(stdout).parameters;
      return { rows, seed };
    };
    assertEquals(await preview(), { rows: 500, seed: 3 });
    assertEquals(await preview("--rows", "8"), { rows: 8, seed: 3 });
  });

  it("limits of connections come from files, too", async () => {
    await write("SALESFLOW_RETRIES=0\nSALESFLOW_POSTGRES_URL=postgres://u@127.0.0.1:1/d\n", "");
    const { code, stderr } = await run(["sql", "postgres", "SELECT 1", "--home", folder], env);
    assertEquals(code, 75);
    // A retry would write a line of its own.
    assertEquals(logLines(stderr).length, 1, stderr);
  });

  it("names the file of a mistake, and a file that is missing", async () => {
    await write("SALESFLOW_RETRIES=x\n", "rows: many\n");
    const { code, stderr } = await run(["run", "--home", folder], env);
    assertEquals(code, 2);
    assertStringIncludes(stderr, `SALESFLOW_ROWS many: it must be a whole number from 1 to 2,000,000,000`);
    assertStringIncludes(stderr, `(set in ${folder}/salesflow.yaml)`);
    assertStringIncludes(stderr, `SALESFLOW_RETRIES x`);
    assertStringIncludes(stderr, `(set in ${folder}/.env)`);
    await write("", "row: 5\n");
    const unknown = await run(["status", "--home", folder], env);
    assertEquals(unknown.code, 2);
    assertStringIncludes(unknown.stderr, `salesflow.yaml, line 1: unknown setting row. Did you mean rows?`);
    const missing = await run(["status"], { SALESFLOW_CONFIG: "/nowhere.yaml" });
    assertEquals(missing.code, 2);
    const { remedy } = logLines(missing.stderr).at(-1)!;
    assertMatch(String(remedy), /SALESFLOW_CONFIG; \/dev\/null stands for none/);
    assertEquals((await run(["run", "--help"], { SALESFLOW_CONFIG: "/nowhere.yaml" })).code, 0);
  });

  it("fits a terminal of 80 columns", async () => {
    const { screen } = await runOnTerminal(["config"], {}, { columns: 80 });
    const lines = screen.split("\r\n").filter((line) => /^[┌│└]/.test(line));
    assert(lines.length > 20, screen);
    for (const line of lines) assert(line.length <= 80, line);
  });
});
