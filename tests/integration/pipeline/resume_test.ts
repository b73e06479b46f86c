import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { acquireAdvisoryLock } from "../../../lib/postgres/advisory_lock.ts";
import { withPostgres } from "../../../lib/postgres/session.ts";
import { logLines, run, type Servers, start, startServers, waitForFile } from "../../cli/command.ts";
import { findDifferences, readState, type State } from "../../faults/state.ts";

const NEVER_ABORTED = new AbortController().signal;
const RUN = "resumed";
const RUN_ARGS = ["--rows", "5000", "--as-of", "2026-11-24", "--run-id", RUN];

let home: string;
let servers: Servers;
let expected: State;

const command = (name: string, ...more: string[]) => [name, ...RUN_ARGS, ...more, "--home", home];

beforeAll(async () => {
  home = await Deno.makeTempDir({ prefix: "salesflow-resume-" });
  servers = await startServers(home);
  const { code, stderr } = await run(command("run"));
  assertEquals(code, 0, stderr);
  expected = await readState(home, RUN);
});
afterAll(async () => {
  await servers.stop();
  await Deno.remove(home, { recursive: true });
});

async function attempts(): Promise<Record<string, number>> {
  const found: Record<string, number> = {};
  for await (const { name } of Deno.readDir(`${home}/runs/${RUN}/stages`)) {
    const { stage, attempt } = JSON.parse(await Deno.readTextFile(`${home}/runs/${RUN}/stages/${name}`));
    found[stage] = attempt;
  }
  return found;
}

/** Runs again; expects it to resume at `stage` and to produce the same result as without a failure. */
async function assertResumesAt(stage: string): Promise<void> {
  const before = await attempts();
  const { code, stderr } = await run(command("run"));
  assertEquals(code, 0, stderr);
  assert(
    logLines(stderr).some(({ logger, message }) =>
      logger === "salesflow.run" && String(message).startsWith(`resuming at ${stage}:`)
    ),
    stderr,
  );
  const after = await attempts();
  assertEquals(after.generate, before.generate);
  assertEquals(after[stage], before[stage]! + 1);
  assertEquals(findDifferences(await readState(home, RUN), expected), []);
}

describe("salesflow run after a failure", () => {
  it("resumes at transfer when ClickHouse was unreachable", async () => {
    await run(command("generate"));
    assertEquals((await run(command("run", "--to", "aggregate"))).code, 0);
    const broken = await run(command("run"), {
      SALESFLOW_CLICKHOUSE_URL: "http://shop:geheim@127.0.0.1:1",
      SALESFLOW_RETRIES: "0",
    });
    assertEquals([broken.code, broken.stdout], [75, ""]);
    assertStringIncludes(broken.stderr, "ClickHouse at 127.0.0.1:1 cannot be reached");
    assert(!broken.stderr.includes("geheim"));
    await assertResumesAt("transfer");
  });

  it("resumes at load when PostgreSQL was unreachable", async () => {
    await run(command("generate"));
    assertEquals((await run(command("run", "--to", "clean"))).code, 0);
    const broken = await run(command("run"), {
      SALESFLOW_POSTGRES_URL: "postgres://shop:geheim@127.0.0.1:1/shop",
      SALESFLOW_RETRIES: "0",
    });
    assertEquals([broken.code, broken.stdout], [75, ""]);
    assert(!broken.stderr.includes("geheim"));
    await assertResumesAt("load");
  });

  it("resumes at report when its file could not be written", async () => {
    const folder = `${home}/runs/${RUN}/report`;
    await Deno.remove(folder, { recursive: true });
    await Deno.writeTextFile(folder, "in the way");
    const broken = await run(command("run"));
    assertEquals(broken.code, 1);
    assertStringIncludes(broken.stderr, "report");
    await Deno.remove(folder);
    await assertResumesAt("report");
  });

  it("resumes at clean with a higher --max-rejected when too many rows were rejected", async () => {
    await run(command("generate"));
    const refused = await run(command("run", "--max-rejected", "0"));
    assertEquals(refused.code, 1);
    assertStringIncludes(refused.stderr, "rows would be rejected");
    await assertResumesAt("clean");
  });

  it("names the stage to repeat when files of an earlier stage are damaged", async () => {
    await run(command("generate"));
    assertEquals((await run(command("run", "--to", "clean"))).code, 0);
    const part = `${home}/runs/${RUN}/clean/part-00000.csv`;
    await Deno.writeTextFile(part, (await Deno.readTextFile(part)).replace(",North", ",South"));
    const damaged = await run(command("run"));
    assertEquals(damaged.code, 1);
    assertStringIncludes(damaged.stderr, "part-00000.csv is damaged");
    assertStringIncludes(damaged.stderr, `salesflow clean --run-id ${RUN}`);
    assertEquals((await run(["clean", "--run-id", RUN, "--home", home])).code, 0);
    await assertResumesAt("load");
  });

  it("resumes after Ctrl-C in the middle of load", async () => {
    await run(command("generate"));
    await Deno.remove(`${home}/runs/${RUN}/stages/load.json`);
    // Holding the lock of load blocks the run in that stage until the signal arrives.
    await withPostgres({ url: servers.postgresUrl, stage: "test", signal: NEVER_ABORTED }, async (db) => {
      await acquireAdvisoryLock(db, "salesflow:load", "session");
      const running = start(command("run"));
      await waitForFile(`${home}/runs/${RUN}/stages/load.json`, running);
      running.child.kill("SIGINT");
      const { code, stderr } = await running.ended;
      assertEquals(code, 75, stderr);
      assertStringIncludes(stderr, "Stopped by SIGINT");
      assertStringIncludes(stderr, "Completed work is kept");
    });
    assertEquals((await run(command("run"))).code, 0);
    assertEquals(findDifferences(await readState(home, RUN), expected), []);
  });

  it("goes back to load when the tables now hold another run", async () => {
    const unreachable = { SALESFLOW_CLICKHOUSE_URL: "http://127.0.0.1:1", SALESFLOW_RETRIES: "0" };
    const other = [...command("run", "--seed", "2"), "--run-id", "other", "--as-of", "2026-11-17"];
    assertEquals((await run(command("run", "--to", "aggregate"))).code, 0);
    assertEquals((await run(command("run"), unreachable)).code, 75);
    assertEquals((await run(other)).code, 0);
    const transfer = await run(["transfer", "--run-id", RUN, "--home", home]);
    assertEquals(transfer.code, 75);
    assertStringIncludes(transfer.stderr, `salesflow run --from load --run-id ${RUN}`);
    assertEquals((await run(command("run", "--to", "aggregate"))).code, 0);
    assertEquals((await run(command("run"), unreachable)).code, 75);
    assertEquals((await run(other)).code, 0);
    const { code, stderr } = await run(command("run"));
    assertEquals(code, 0, stderr);
    assertStringIncludes(stderr, "shop.sales now holds run other");
    assertEquals((await run(["verify", "--run-id", RUN, "--home", home])).code, 0);
  });

  it("starts from generate when other data is requested", async () => {
    const { code, stderr } = await run(command("run", "--seed", "5"));
    assertEquals(code, 0, stderr);
    assertMatch(
      findDifferences(await readState(home, RUN), expected).join(),
      /raw differs.*shop\.sales differs/,
    );
  });
});
