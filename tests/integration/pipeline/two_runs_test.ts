/** Two runs with different sales on the same tables: they take turns, or end with 75; never with a permanent failure. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { acquireAdvisoryLock } from "../../../lib/postgres/advisory_lock.ts";
import { withPostgres } from "../../../lib/postgres/session.ts";
import { type CommandResult, logLines, run, type Servers, start, startServers } from "../../cli/command.ts";

const NEVER_ABORTED = new AbortController().signal;
const AS_OF = "2026-11-24";
const TURNS = 3;

let home: string;
let servers: Servers;

const command = (name: string, runId: string, ...more: string[]) =>
  run([name, "--run-id", runId, ...more, "--home", home]);

async function succeed(...args: Parameters<typeof command>): Promise<void> {
  const { code, stderr } = await command(...args);
  assertEquals(code, 0, stderr);
}

/** Returns the value of a query with one row and one column. */
async function value(database: "postgres" | "clickhouse", query: string): Promise<string> {
  const { code, stdout, stderr } = await run(["sql", database, query, "--format=csv", "--home", home]);
  assertEquals(code, 0, stderr);
  return stdout.trim().split("\n")[1]!;
}

/** Returns the only run in all three tables. */
async function findOnlyRun(): Promise<string> {
  const runs = await Promise.all([
    value("postgres", "SELECT run_id FROM shop.pipeline_runs ORDER BY loaded_at DESC LIMIT 1"),
    value("postgres", "SELECT string_agg(DISTINCT run_id, ' ') FROM shop.sales_aggregates"),
    value(
      "clickhouse",
      `SELECT arrayStringConcat(groupUniqArray(run_id), ' ') FROM shop.sales_aggregates WHERE import_date = '${AS_OF}'`,
    ),
  ]);
  assertEquals(new Set(runs).size, 1, runs.join());
  return runs[0]!;
}

function assertReplaced({ code, stderr }: CommandResult, runId: string): void {
  assertEquals(code, 75, stderr);
  const { message, remedy } = logLines(stderr).at(-1)!;
  assertStringIncludes(String(message), "another command published that run while this run was in progress");
  assertEquals(remedy, `Run it again from load: salesflow run --from load --run-id ${runId}`);
}

beforeAll(async () => {
  home = await Deno.makeTempDir({ prefix: "salesflow-two-runs-" });
  servers = await startServers(home);
  for (const [index, runId] of ["one", "two"].entries()) {
    await succeed("run", runId, "--as-of", AS_OF, "--rows", String(20_000 + index), "--seed", String(index));
  }
});
afterAll(async () => {
  await servers.stop();
  await Deno.remove(home, { recursive: true });
});

describe("two runs at once", () => {
  it("take turns from load to report, and the tables hold one of them", async () => {
    for (let turn = 0; turn < TURNS; turn++) {
      const both = await Promise.all(["one", "two"].map((runId) => command("run", runId, "--from", "load")));
      for (const { code, stderr } of both) assert(code === 0 || code === 75, `exit code ${code}: ${stderr}`);
      await succeed("verify", await findOnlyRun());
    }
  });

  it("log for whom they wait, and end with 75 when it takes too long", async () => {
    await withPostgres({ url: servers.postgresUrl, stage: "holder", signal: NEVER_ABORTED }, async (db) => {
      await acquireAdvisoryLock(db, "salesflow:tables", "session");
      for (const args of [["load"], ["run", "--from", "load"]]) {
        const env = { SALESFLOW_TIMEOUT_SECONDS: "3" };
        const { code, stderr } = await run([...args, "--run-id", "one", "--home", home], env);
        assertEquals(code, 75, stderr);
        const messages = logLines(stderr).map(({ message }) => String(message));
        const waiting =
          /waiting up to 3 s for salesflow holder \(pid \d+, since [^)]+\), which does the same/;
        assert(messages.some((message) => waiting.test(message)), stderr);
        assertStringIncludes(messages.at(-1)!, "did not release its lock within 3 s");
      }
    });
  });

  it("release the tables when they are killed", async () => {
    const { child, ended } = start(["run", "--from", "load", "--run-id", "one", "--home", home]);
    const held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'";
    while (await value("postgres", held) === "0") {
      // Until it holds its first lock.
    }
    child.kill("SIGKILL");
    await ended;
    await succeed("run", "two", "--from", "load");
    assertEquals(await findOnlyRun(), "two");
  });
});

describe("stages as commands of their own", () => {
  it("end with 75 when another run was loaded in between", async () => {
    await succeed("load", "one");
    await succeed("load", "two");
    assertReplaced(await command("aggregate", "one"), "one");
    await succeed("load", "one");
    await succeed("aggregate", "one");
    await succeed("load", "two");
    await succeed("aggregate", "two");
    for (const stage of ["transfer", "verify", "report"]) assertReplaced(await command(stage, "one"), "one");
    // A task that is retried finds the same.
    assertReplaced(await command("report", "one"), "one");
    await succeed("run", "one", "--from", "load");
  });

  it("end with 1 when the run was finished before another one was loaded", async () => {
    await succeed("run", "two", "--from", "load");
    for (const stage of ["aggregate", "verify", "report", "report"]) {
      const { code, stderr } = await command(stage, "one");
      assertEquals(code, 1, stderr);
      assertStringIncludes(stderr, "holds the rows of run two, not those of one");
    }
  });
});
