/**
 * Network faults: the command runs from load to verify through toxiproxy while connections are slow, cut or blackholed. It
 * must publish correct tables, or exit with 75 and a remedy. Tables are old or new, never a mix, and it must not hang.
 */
import { type Embedded, startEmbedded } from "../../lib/embedded/embedded.ts";
import { type Outcome, run, start, until } from "./command.ts";
import type { NetworkFault, Server } from "./network_faults.ts";
import type { FaultResult } from "./result.ts";
import { findDifferences, readState, type State } from "./state.ts";
import { findStrayTables } from "./traces.ts";
import { type Route, Toxiproxy } from "./toxiproxy.ts";

const RUNS = ["one", "two"] as const;
/** Longer than any fault may take with these limits. */
const HANG_TIMEOUT_MS = 120_000;
/** Delay after which a slowed-down stage is in the middle of sending rows. */
const MIDWAY_DELAY_MS = 1500;
const LIMITS = { SALESFLOW_RETRIES: "2", SALESFLOW_TIMEOUT_SECONDS: "8" };

/** Two runs with different sales. Each test publishes the one that is not in the tables. */
export class BadNetwork {
  readonly #home: string;
  readonly #embedded: Embedded;
  readonly #proxy: Toxiproxy;
  readonly #routes: Record<Server, Route>;
  readonly #states: State[] = [];
  #published = 1;

  private constructor(home: string, embedded: Embedded, proxy: Toxiproxy, routes: Record<Server, Route>) {
    this.#home = home;
    this.#embedded = embedded;
    this.#proxy = proxy;
    this.#routes = routes;
  }

  /** Starts databases and proxy, and makes both runs. @param proxyPath path of toxiproxy @param rows sales per run */
  static async prepare(home: string, proxyPath: string, rows: number): Promise<BadNetwork> {
    const embedded = await startEmbedded(home);
    const proxy = await Toxiproxy.start(proxyPath);
    const network = new BadNetwork(home, embedded, proxy, {
      postgres: await proxy.addRoute("postgres", embedded.postgresUrl),
      clickhouse: await proxy.addRoute("clickhouse", embedded.clickhouseUrl),
    });
    try {
      for (const [index, runId] of RUNS.entries()) {
        const sales = ["--rows", String(rows), "--seed", String(index + 1)];
        const created = await run(
          ["run", "--run-id", runId, "--as-of", "2026-11-24", ...sales],
          network.#env(),
        );
        if (created.code !== 0) throw new Error(`the run without faults failed: ${created.stderr}`);
      }
      for (const index of [0, 1]) {
        const { code, stderr } = await network.#publish(index);
        if (code !== 0) throw new Error(`the run without faults failed: ${stderr}`);
        network.#states.push(await readState(home, RUNS[index]!));
      }
      return network;
    } catch (error) {
      await network.close();
      throw error;
    }
  }

  /** Stops proxy and databases. */
  async close(): Promise<void> {
    await this.#proxy.close();
    await this.#embedded.close();
  }

  #env(): Record<string, string> {
    return { SALESFLOW_HOME: this.#home, ...LIMITS };
  }

  #args(index: number): string[] {
    return ["run", "--run-id", RUNS[index]!, "--from", "load", "--to", "verify"];
  }

  #publish(index: number): Promise<Outcome> {
    return run(this.#args(index), this.#env());
  }

  /** Returns how often the stage that sends rows to this server was started. */
  #attempt(server: Server, runId: string): number {
    const stage = server === "postgres" ? "load" : "transfer";
    return JSON.parse(Deno.readTextFileSync(`${this.#home}/runs/${runId}/stages/${stage}.json`)).attempt;
  }

  /** Runs the command with the fault; `undefined` if it hangs. */
  async #runWithFault(fault: NetworkFault, index: number): Promise<Outcome | undefined> {
    const route = this.#routes[fault.server];
    const before = this.#attempt(fault.server, RUNS[index]!);
    for (const toxic of fault.toxics) await this.#proxy.addToxic(route, toxic);
    if (fault.shut) await this.#proxy.disable(route);
    let resetting: Promise<void> | undefined;
    const env = {
      ...this.#env(),
      SALESFLOW_POSTGRES_URL: `${this.#routes.postgres.url}?connect_timeout=3`,
      SALESFLOW_CLICKHOUSE_URL: this.#routes.clickhouse.url,
    };
    const running = start(this.#args(index), env, (text) => {
      if (fault.until === "next try" && text.includes("retrying")) resetting ??= this.#proxy.reset();
    });
    let ended = false;
    running.outcome.then(() => ended = true);
    if (fault.midway) {
      await until(() => ended || this.#attempt(fault.server, RUNS[index]!) > before, HANG_TIMEOUT_MS);
      await new Promise((resolve) => setTimeout(resolve, MIDWAY_DELAY_MS));
      await this.#proxy.addToxic(route, fault.midway);
    }
    const inTime = await until(() => ended, HANG_TIMEOUT_MS);
    if (!inTime) running.child.kill("SIGKILL");
    const outcome = await running.outcome;
    await resetting;
    await this.#proxy.reset();
    return inTime ? outcome : undefined;
  }

  /** Tests a fault. If the command fails as expected, runs it again without faults. */
  async try(fault: NetworkFault): Promise<FaultResult> {
    const index = 1 - this.#published;
    const runId = RUNS[index]!;
    const [before, after] = [this.#states[this.#published]!, this.#states[index]!];
    const wrong: string[] = [];
    const started = performance.now();
    const outcome = await this.#runWithFault(fault, index);
    const seconds = ((performance.now() - started) / 1000).toFixed(0);
    const tries = 1 + (outcome?.stderr.split("retrying").length ?? 1) - 1;
    if (!outcome) wrong.push(`it hung for ${seconds} s`);
    else if (fault.expects === "done") {
      if (outcome.code !== 0) wrong.push(`it exited with ${outcome.code}: ${outcome.stderr.slice(-600)}`);
      if (fault.until === "next try" && tries === 1) wrong.push("the fault did not affect it");
    } else {
      if (outcome.code !== 75) wrong.push(`it exited with ${outcome.code}: ${outcome.stderr.slice(-600)}`);
      if (!outcome.stderr.includes("Check that the server is running")) {
        wrong.push(`no remedy: ${outcome.stderr.slice(-600)}`);
      }
      wrong.push(...findMixes(await readState(this.#home, runId), before, after));
      const again = await this.#publish(index);
      if (again.code !== 0) wrong.push(`the next run exited with ${again.code}: ${again.stderr.slice(-600)}`);
    }
    wrong.push(
      ...findDifferences(await readState(this.#home, runId), after),
      ...await findStrayTables(this.#home),
    );
    this.#published = index;
    const result = fault.expects === "done"
      ? tries > 1 ? "correct tables after a retry" : "correct tables"
      : "exited with 75, no mix; correct tables on the next run";
    return { fault: fault.name, tried: 1, outcome: `${result} (${seconds} s)`, wrong };
  }
}

/** Returns the tables that are neither in the old nor in the new state. */
function findMixes(found: State, before: State, after: State): string[] {
  return Object.keys(found)
    .filter((name) => name.includes("."))
    .filter((name) => found[name] !== before[name] && found[name] !== after[name])
    .map((name) => `${name} is a mix`);
}
