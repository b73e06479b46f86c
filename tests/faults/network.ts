/**
 * Faults of the network: the command runs from load to verify through toxiproxy while its connections are slow, are cut, or swallow everything. It must put
 * the right tables in place or give up with 75 and a remedy; tables are old or new, never a mix; it never hangs.
 */
import { type Embedded, startEmbedded } from "../../lib/embedded/embedded.ts";
import { type Outcome, run, start, until } from "./command.ts";
import type { NetworkFault, Server } from "./network_faults.ts";
import type { FaultResult } from "./result.ts";
import { differences, type State, stateOf } from "./state.ts";
import { strayTables } from "./traces.ts";
import { Toxiproxy, type Way } from "./toxiproxy.ts";

const RUNS = ["one", "two"] as const;
/** Longer than any of the faults may take with these limits. */
const HANG_MS = 120_000;
/** After so long a stage has begun to send rows and, slowed down, has not sent them all. */
const MIDWAY_MS = 1500;
const LIMITS = { SALESFLOW_RETRIES: "2", SALESFLOW_TIMEOUT_SECONDS: "8" };

/** Two runs of different sales in the same tables; each try publishes the one that is not there. */
export class BadNetwork {
  readonly #home: string;
  readonly #embedded: Embedded;
  readonly #proxy: Toxiproxy;
  readonly #ways: Record<Server, Way>;
  readonly #states: State[] = [];
  #published = 1;

  private constructor(home: string, embedded: Embedded, proxy: Toxiproxy, ways: Record<Server, Way>) {
    this.#home = home;
    this.#embedded = embedded;
    this.#proxy = proxy;
    this.#ways = ways;
  }

  /** Starts databases and proxy, and makes both runs. @param proxyPath of toxiproxy @param rows sales of each run */
  static async prepare(home: string, proxyPath: string, rows: number): Promise<BadNetwork> {
    const embedded = await startEmbedded(home);
    const proxy = await Toxiproxy.start(proxyPath);
    const network = new BadNetwork(home, embedded, proxy, {
      postgres: await proxy.way("postgres", embedded.postgresUrl),
      clickhouse: await proxy.way("clickhouse", embedded.clickhouseUrl),
    });
    try {
      for (const [index, runId] of RUNS.entries()) {
        const sales = ["--rows", String(rows), "--seed", String(index + 1)];
        const made = await run(["run", "--run-id", runId, "--as-of", "2026-11-24", ...sales], network.#env());
        if (made.code !== 0) throw new Error(`the undisturbed run failed: ${made.stderr}`);
      }
      for (const index of [0, 1]) {
        const { code, stderr } = await network.#publish(index);
        if (code !== 0) throw new Error(`the undisturbed run failed: ${stderr}`);
        network.#states.push(await stateOf(home, RUNS[index]!));
      }
      return network;
    } catch (error) {
      await network.close();
      throw error;
    }
  }

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

  /** How often the stage that sends rows to this server was begun. */
  #attempt(server: Server, runId: string): number {
    const stage = server === "postgres" ? "load" : "transfer";
    return JSON.parse(Deno.readTextFileSync(`${this.#home}/runs/${runId}/stages/${stage}.json`)).attempt;
  }

  /** Runs the command through the bad network; `undefined` when it hangs. */
  async #suffer(fault: NetworkFault, index: number): Promise<Outcome | undefined> {
    const way = this.#ways[fault.server];
    const before = this.#attempt(fault.server, RUNS[index]!);
    for (const toxic of fault.toxics) await this.#proxy.spoil(way, toxic);
    if (fault.shut) await this.#proxy.shut(way);
    let healing: Promise<void> | undefined;
    const env = {
      ...this.#env(),
      SALESFLOW_POSTGRES_URL: `${this.#ways.postgres.url}?connect_timeout=3`,
      SALESFLOW_CLICKHOUSE_URL: this.#ways.clickhouse.url,
    };
    const running = start(this.#args(index), env, (text) => {
      if (fault.until === "next try" && text.includes("trying again")) healing ??= this.#proxy.heal();
    });
    let ended = false;
    running.outcome.then(() => ended = true);
    if (fault.midway) {
      await until(() => ended || this.#attempt(fault.server, RUNS[index]!) > before, HANG_MS);
      await new Promise((resolve) => setTimeout(resolve, MIDWAY_MS));
      await this.#proxy.spoil(way, fault.midway);
    }
    const inTime = await until(() => ended, HANG_MS);
    if (!inTime) running.child.kill("SIGKILL");
    const outcome = await running.outcome;
    await healing;
    await this.#proxy.heal();
    return inTime ? outcome : undefined;
  }

  /** Tries one fault and, where the command gave up, runs it again on a sound network. */
  async try(fault: NetworkFault): Promise<FaultResult> {
    const index = 1 - this.#published;
    const runId = RUNS[index]!;
    const [before, after] = [this.#states[this.#published]!, this.#states[index]!];
    const wrong: string[] = [];
    const started = performance.now();
    const outcome = await this.#suffer(fault, index);
    const seconds = ((performance.now() - started) / 1000).toFixed(0);
    const tries = 1 + (outcome?.stderr.split("trying again").length ?? 1) - 1;
    if (!outcome) wrong.push(`it hung for ${seconds} s`);
    else if (fault.expects === "done") {
      if (outcome.code !== 0) wrong.push(`it ended with ${outcome.code}: ${outcome.stderr.slice(-600)}`);
      if (fault.until === "next try" && tries === 1) wrong.push("the fault did not meet it");
    } else {
      if (outcome.code !== 75) wrong.push(`it ended with ${outcome.code}: ${outcome.stderr.slice(-600)}`);
      if (!outcome.stderr.includes("Check that the server runs")) {
        wrong.push(`no remedy: ${outcome.stderr.slice(-600)}`);
      }
      wrong.push(...mixes(await stateOf(this.#home, runId), before, after));
      const again = await this.#publish(index);
      if (again.code !== 0) wrong.push(`the next run ended with ${again.code}: ${again.stderr.slice(-600)}`);
    }
    wrong.push(...differences(await stateOf(this.#home, runId), after), ...await strayTables(this.#home));
    this.#published = index;
    const came = fault.expects === "done"
      ? tries > 1 ? "right tables after trying again" : "right tables"
      : "gave up with 75, nothing mixed; right tables when run again";
    return { fault: fault.name, tried: 1, outcome: `${came} (${seconds} s)`, wrong };
  }
}

/** Tables that are neither as before nor as after. */
function mixes(found: State, before: State, after: State): string[] {
  return Object.keys(found)
    .filter((name) => name.includes("."))
    .filter((name) => found[name] !== before[name] && found[name] !== after[name])
    .map((name) => `${name} is a mix`);
}
