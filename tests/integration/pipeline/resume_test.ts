import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { takeLock } from "../../../lib/postgres/lock.ts";
import { withPostgres } from "../../../lib/postgres/session.ts";
import { logLines, run, type Servers, start, startServers, whenThere } from "../../cli/command.ts";
import { differences, type State, stateOf } from "../../faults/state.ts";

const CALM = new AbortController().signal;
const RUN = "resumed";
const RUN_ARGS = ["--rows", "5000", "--as-of", "2026-11-24", "--run-id", RUN];

let home: string;
let servers: Servers;
let undisturbed: State;

const command = (name: string, ...more: string[]) => [name, ...RUN_ARGS, ...more, "--home", home];

beforeAll(async () => {
  home = await Deno.makeTempDir({ prefix: "salesflow-resume-" });
  servers = await startServers(home);
  const { code, stderr } = await run(command("run"));
  assertEquals(code, 0, stderr);
  undisturbed = await stateOf(home, RUN);
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

/** Runs again, expects it to go on at `stage`, and the same result as without any disturbance. */
async function goesOnAt(stage: string): Promise<void> {
  const before = await attempts();
  const { code, stderr } = await run(command("run"));
  assertEquals(code, 0, stderr);
  assert(
    logLines(stderr).some(({ logger, message }) =>
      logger === "salesflow.run" && String(message).startsWith(`going on with ${stage}:`)
    ),
    stderr,
  );
  const after = await attempts();
  assertEquals(after.generate, before.generate);
  assertEquals(after[stage], before[stage]! + 1);
  assertEquals(differences(await stateOf(home, RUN), undisturbed), []);
}

describe("salesflow run after a failure", () => {
  it("goes on at transfer when ClickHouse was away", async () => {
    await run(command("generate"));
    assertEquals((await run(command("run", "--to", "aggregate"))).code, 0);
    const broken = await run(command("run"), {
      SALESFLOW_CLICKHOUSE_URL: "http://shop:geheim@127.0.0.1:1",
      SALESFLOW_RETRIES: "0",
    });
    assertEquals([broken.code, broken.stdout], [75, ""]);
    assertStringIncludes(broken.stderr, "ClickHouse at 127.0.0.1:1 cannot be reached");
    assert(!broken.stderr.includes("geheim"));
    await goesOnAt("transfer");
  });

  it("goes on at load when PostgreSQL was away", async () => {
    await run(command("generate"));
    assertEquals((await run(command("run", "--to", "clean"))).code, 0);
    const broken = await run(command("run"), {
      SALESFLOW_POSTGRES_URL: "postgres://shop:geheim@127.0.0.1:1/shop",
      SALESFLOW_RETRIES: "0",
    });
    assertEquals([broken.code, broken.stdout], [75, ""]);
    assert(!broken.stderr.includes("geheim"));
    await goesOnAt("load");
  });

  it("goes on at report when its file could not be written", async () => {
    const place = `${home}/runs/${RUN}/report`;
    await Deno.remove(place, { recursive: true });
    await Deno.writeTextFile(place, "in the way");
    const broken = await run(command("run"));
    assertEquals(broken.code, 1);
    assertStringIncludes(broken.stderr, "report");
    await Deno.remove(place);
    await goesOnAt("report");
  });

  it("goes on at clean when too much was refused, once more is allowed", async () => {
    await run(command("generate"));
    const refused = await run(command("run", "--max-rejected", "0"));
    assertEquals(refused.code, 1);
    assertStringIncludes(refused.stderr, "rows would be rejected");
    await goesOnAt("clean");
  });

  it("says which stage to repeat when files of an earlier stage are damaged", async () => {
    await run(command("generate"));
    assertEquals((await run(command("run", "--to", "clean"))).code, 0);
    const part = `${home}/runs/${RUN}/clean/part-00000.csv`;
    await Deno.writeTextFile(part, (await Deno.readTextFile(part)).replace(",North", ",South"));
    const damaged = await run(command("run"));
    assertEquals(damaged.code, 1);
    assertStringIncludes(damaged.stderr, "part-00000.csv is damaged");
    assertStringIncludes(damaged.stderr, `salesflow clean --run-id ${RUN}`);
    assertEquals((await run(["clean", "--run-id", RUN, "--home", home])).code, 0);
    await goesOnAt("load");
  });

  it("goes on after Ctrl-C in the middle", async () => {
    await run(command("generate"));
    await Deno.remove(`${home}/runs/${RUN}/stages/load.json`);
    // Whoever holds the lock of load keeps the run in its middle, for as long as the signal needs.
    await withPostgres({ url: servers.postgresUrl, stage: "test", signal: CALM }, async (db) => {
      await takeLock(db, "salesflow:load", "session");
      const running = start(command("run"));
      await whenThere(`${home}/runs/${RUN}/stages/load.json`, running);
      running.child.kill("SIGINT");
      const { code, stderr } = await running.ended;
      assertEquals(code, 75, stderr);
      assertStringIncludes(stderr, "Stopped by SIGINT");
      assertStringIncludes(stderr, "Everything finished so far is kept");
    });
    assertEquals((await run(command("run"))).code, 0);
    assertEquals(differences(await stateOf(home, RUN), undisturbed), []);
  });

  it("goes back to load when another run has used the tables since", async () => {
    const unreachable = { SALESFLOW_CLICKHOUSE_URL: "http://127.0.0.1:1", SALESFLOW_RETRIES: "0" };
    const other = [...command("run", "--seed", "2"), "--run-id", "other", "--as-of", "2026-11-17"];
    assertEquals((await run(command("run", "--to", "aggregate"))).code, 0);
    assertEquals((await run(command("run"), unreachable)).code, 75);
    assertEquals((await run(other)).code, 0);
    const transfer = await run(["transfer", "--run-id", RUN, "--home", home]);
    assertEquals(transfer.code, 1);
    assertStringIncludes(transfer.stderr, `salesflow run --from load --run-id ${RUN}`);
    assertEquals((await run(command("run", "--to", "aggregate"))).code, 0);
    assertEquals((await run(command("run"), unreachable)).code, 75);
    assertEquals((await run(other)).code, 0);
    const { code, stderr } = await run(command("run"));
    assertEquals(code, 0, stderr);
    assertStringIncludes(stderr, "shop.sales belongs to run other by now");
    assertEquals((await run(["verify", "--run-id", RUN, "--home", home])).code, 0);
  });

  it("begins anew when other data are asked for", async () => {
    const { code, stderr } = await run(command("run", "--seed", "5"));
    assertEquals(code, 0, stderr);
    assertMatch(
      differences(await stateOf(home, RUN), undisturbed).join(),
      /raw differs.*shop\.sales differs/,
    );
  });
});
