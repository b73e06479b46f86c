/**
 * Time zones and clocks: the same as-of date and seed give the same files and tables in every zone, on days when clocks are put forward or back, at the turn
 * of the year, and while the clock jumps.
 */
import { startEmbedded } from "../../lib/embedded/embedded.ts";
import { withPostgres } from "../../lib/postgres/session.ts";
import { type Outcome, run, start, until } from "./command.ts";
import { FalseClock, NO_CLOCK } from "./false_clock.ts";
import type { FaultResult } from "./result.ts";
import { SmallPostgres } from "./small_postgres.ts";
import { differences, type State, stateOf } from "./state.ts";
import { leftovers } from "./traces.ts";

const RUN_ID = "clock";
/** Days on which Europe changes its clocks, and both sides of a new year. */
const AS_OF = ["2026-03-29", "2026-10-25", "2026-12-31", "2027-01-01"] as const;
/** 14 hours ahead, 8 behind with its own changes, and a quarter of an hour off; and the days that are tried there. */
const DAYS_BY_ZONE = {
  "Pacific/Kiritimati": AS_OF,
  "America/Los_Angeles": [AS_OF[0], AS_OF[2]],
  "Asia/Kathmandu": [AS_OF[1], AS_OF[3]],
} as const;
const ZONES = Object.keys(DAYS_BY_ZONE) as (keyof typeof DAYS_BY_ZONE)[];
/** What the shop's calendar says at these moments; Moscow is three hours ahead all year. */
const MOMENTS = [
  { utc: "2026-11-23T20:59:50Z", today: "2026-11-23" },
  { utc: "2026-11-23T21:00:05Z", today: "2026-11-24" },
  { utc: "2026-12-31T20:59:50Z", today: "2026-12-31" },
  { utc: "2026-12-31T21:00:05Z", today: "2027-01-01" },
] as const;
const DAY_S = 86_400;
/** Where in a run the clock jumps, and by how much. */
const JUMPS = [
  { stage: "generate", seconds: -3600 },
  { stage: "clean", seconds: DAY_S },
  { stage: "load", seconds: -DAY_S },
  { stage: "aggregate", seconds: 400 * DAY_S },
  { stage: "transfer", seconds: -3600 },
] as const;
const { signal } = new AbortController();

class Clocks {
  readonly #home: string;
  readonly #rows: number;
  readonly #states = new Map<string, State>();

  constructor(home: string, rows: number) {
    this.#home = home;
    this.#rows = rows;
  }

  #args(asOf: string): string[] {
    return ["run", "--run-id", RUN_ID, "--as-of", asOf, "--seed", "7", "--rows", String(this.#rows)];
  }

  #env(more: Record<string, string> = {}): Record<string, string> {
    return { SALESFLOW_HOME: this.#home, TZ: "UTC", ...more };
  }

  /** The undisturbed run as of each date. */
  async prepare(): Promise<void> {
    const databases = await startEmbedded(this.#home); // once for all four
    try {
      for (const asOf of AS_OF) {
        await mustWork(run(this.#args(asOf), this.#env()));
        this.#states.set(asOf, await this.#state(asOf));
      }
    } finally {
      await databases.close();
    }
  }

  /** Checksums, and the import dates that ClickHouse has for this as-of date. */
  #state(asOf: string): Promise<State> {
    return stateOf(this.#home, RUN_ID, asOf);
  }

  /** The server's own zone and way to write dates, as its owner may have set them. */
  async #setServerZone(zone: string): Promise<void> {
    const databases = await startEmbedded(this.#home, { engines: ["postgres"] });
    try {
      await withPostgres({ url: databases.postgresUrl, stage: "test", signal }, async (db) => {
        await db.query(`ALTER DATABASE salesflow SET timezone = '${zone}'`);
        await db.query("ALTER ROLE salesflow SET datestyle = 'SQL, DMY'");
      });
    } finally {
      await databases.close();
    }
  }

  async zone(zone: typeof ZONES[number]): Promise<FaultResult> {
    const wrong: string[] = [];
    const days = DAYS_BY_ZONE[zone];
    await this.#setServerZone(zone);
    for (const asOf of days) {
      const { code, stderr } = await run(this.#args(asOf), this.#env({ TZ: zone }));
      if (code !== 0) wrong.push(`as of ${asOf} it ended with ${code}: ${stderr.slice(-400)}`);
      const differ = differences(await this.#state(asOf), this.#states.get(asOf)!);
      wrong.push(...differ.map((what) => `as of ${asOf} ${what}`));
    }
    return {
      fault: `command and server in the time zone ${zone}, as of ${days.join(", ")}`,
      tried: days.length,
      outcome: "same files and tables as in UTC; import date as said",
      wrong,
    };
  }

  /** Without --as-of the date is Moscow's, whatever the zone of the machine. */
  async today(clock: FalseClock): Promise<FaultResult> {
    const wrong: string[] = [];
    const cases = MOMENTS.flatMap((moment, at) => [
      { ...moment, zone: ZONES[at % ZONES.length]! },
      { ...moment, zone: ZONES[(at + 1) % ZONES.length]! },
    ]);
    for (const { utc, today, zone } of cases) {
      const store = await Deno.makeTempDir({ prefix: "salesflow-today-" });
      clock.show(utc);
      const env = this.#env({ ...clock.env, TZ: zone, SALESFLOW_STORE: store });
      const { code, stderr } = await run(["generate", "--rows", "50"], env);
      if (code !== 0) wrong.push(`it ended with ${code}: ${stderr.slice(-400)}`);
      const runs = [...Deno.readDirSync(`${store}/runs`)].map(({ name }) => name);
      const asOf = runs.map((name) =>
        JSON.parse(Deno.readTextFileSync(`${store}/runs/${name}/run.json`)).as_of
      );
      if (runs.join() !== today || asOf.join() !== today) {
        wrong.push(`at ${utc} in ${zone} it took ${asOf} for today`);
      }
      await Deno.remove(store, { recursive: true });
    }
    clock.set(0);
    return {
      fault: "a run without --as-of seconds before and after midnight in Moscow, in other time zones",
      tried: cases.length,
      outcome: "its date is Moscow's",
      wrong,
    };
  }

  #attempt(stage: string): number {
    try {
      return JSON.parse(Deno.readTextFileSync(`${this.#home}/runs/${RUN_ID}/stages/${stage}.json`)).attempt;
    } catch {
      return 0;
    }
  }

  /** The clock jumps in the middle of a stage; every other time the command is killed there, too, and goes on under the new time. */
  async jump(clock: FalseClock): Promise<FaultResult> {
    const databases = await startEmbedded(this.#home); // with the right clock, as servers of their own
    try {
      return await this.#jumps(clock);
    } finally {
      await databases.close();
    }
  }

  async #jumps(clock: FalseClock): Promise<FaultResult> {
    const wrong: string[] = [];
    let kills = 0;
    for (const [at, { stage, seconds }] of JUMPS.entries()) {
      const what = `a jump of ${seconds} s in ${stage}`;
      const asOf = AS_OF[at % AS_OF.length]!;
      clock.set(0);
      const before = this.#attempt(stage);
      const running = start(this.#args(asOf), this.#env(clock.env));
      let ended = false;
      running.outcome.then(() => ended = true);
      await until(() => ended || this.#attempt(stage) > before, 60_000);
      if (ended) wrong.push(`${what} came too late`);
      clock.set(seconds);
      const kill = at % 2 === 1 && !ended;
      if (kill) running.child.kill("SIGKILL");
      let { code, stderr } = await running.outcome;
      if (kill) {
        kills++;
        ({ code, stderr } = await run(this.#args(asOf), this.#env(clock.env)));
      }
      if (code !== 0) wrong.push(`${what}: it ended with ${code}: ${stderr.slice(-400)}`);
      wrong.push(
        ...differences(await this.#state(asOf), this.#states.get(asOf)!).map((d) => `${what}: ${d}`),
      );
    }
    clock.set(0);
    return {
      fault: "the clock jumps by an hour, a day or 400 days during a run",
      tried: JUMPS.length,
      outcome:
        `same files and tables, also when the command is killed and goes on at the new time (${kills} times)`,
      wrong,
    };
  }

  /** The server's clock is set back between two runs: the later run must still be taken for the one that is loaded. */
  async serverSetBack(clock: FalseClock, folder: string): Promise<FaultResult> {
    const wrong: string[] = [];
    clock.set(0);
    const prefix = ["env", ...Object.entries(clock.env).map(([name, value]) => `${name}=${value}`)];
    const server = await SmallPostgres.create(folder, { timezone: "Asia/Kathmandu" }, prefix);
    try {
      const env = this.#env({ SALESFLOW_POSTGRES_URL: server.url });
      for (const [runId, seconds] of [["first", 0], ["second", -3600], ["first", -2 * DAY_S]] as const) {
        clock.set(seconds);
        const args = ["run", "--run-id", runId, "--as-of", "2026-11-24", "--rows", "1000"];
        const { code, stderr } = await run(args, env);
        if (code !== 0) wrong.push(`${seconds} s: it ended with ${code}: ${stderr.slice(-400)}`);
      }
    } finally {
      await server.stop();
      clock.set(0);
    }
    return {
      fault: "PostgreSQL's clock is set back by an hour, then by two days, between runs",
      tried: 2,
      outcome: "the run loaded last counts as the newest; verified",
      wrong,
    };
  }
}

async function mustWork(work: Promise<Outcome>): Promise<void> {
  const { code, stderr } = await work;
  if (code !== 0) throw new Error(`a command ended with ${code}: ${stderr.slice(-600)}`);
}

/** Tries all of them. @param rows sales of each run */
export async function clockFaults(home: string, rows: number): Promise<FaultResult[]> {
  const clocks = new Clocks(`${home}/zones`, rows);
  await clocks.prepare();
  const results: FaultResult[] = [];
  for (const zone of ZONES) results.push(await clocks.zone(zone));
  const clock = await FalseClock.make();
  if (!clock) {
    return [...results, { fault: "wrong clocks", tried: 0, outcome: "", wrong: [], skipped: NO_CLOCK }];
  }
  try {
    const folder = `${home}/server`;
    await Deno.mkdir(folder);
    results.push(await clocks.today(clock));
    const jumps = await clocks.jump(clock);
    jumps.wrong.push(...await leftovers(`${home}/zones`, RUN_ID));
    results.push(jumps);
    return [...results, await clocks.serverSetBack(clock, folder)];
  } finally {
    await clock.remove();
  }
}
