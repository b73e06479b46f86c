/**
 * Time zones and clocks: the same as-of date and seed give the same files and tables in every time zone, on days of
 * daylight-saving changes, around New Year, and when the clock jumps.
 */
import { startEmbedded } from "../../lib/embedded/embedded.ts";
import { withPostgres } from "../../lib/postgres/session.ts";
import { type Outcome, run, start, until } from "./command.ts";
import { FakeClock, NO_CLOCK } from "./fake_clock.ts";
import type { FaultResult } from "./result.ts";
import { SmallPostgres } from "./small_postgres.ts";
import { findDifferences, readState, type State } from "./state.ts";
import { findLeftovers } from "./traces.ts";

const RUN_ID = "clock";
/** Days of daylight-saving changes in Europe, and both sides of New Year. */
const AS_OF = ["2026-03-29", "2026-10-25", "2026-12-31", "2027-01-01"] as const;
/** Time zones 14 hours ahead, 8 hours behind with daylight saving, and with an offset of a quarter hour; and the days tested in each. */
const DAYS_BY_ZONE = {
  "Pacific/Kiritimati": AS_OF,
  "America/Los_Angeles": [AS_OF[0], AS_OF[2]],
  "Asia/Kathmandu": [AS_OF[1], AS_OF[3]],
} as const;
const ZONES = Object.keys(DAYS_BY_ZONE) as (keyof typeof DAYS_BY_ZONE)[];
/** The date in Moscow at each moment; Moscow is UTC+3 all year. */
const MOMENTS = [
  { utc: "2026-11-23T20:59:50Z", today: "2026-11-23" },
  { utc: "2026-11-23T21:00:05Z", today: "2026-11-24" },
  { utc: "2026-12-31T20:59:50Z", today: "2026-12-31" },
  { utc: "2026-12-31T21:00:05Z", today: "2027-01-01" },
] as const;
const DAY_S = 86_400;
/** Stages during which the clock jumps, and by how much. */
const JUMPS = [
  { stage: "generate", seconds: -3600 },
  { stage: "clean", seconds: DAY_S },
  { stage: "load", seconds: -DAY_S },
  { stage: "aggregate", seconds: 400 * DAY_S },
  { stage: "transfer", seconds: -3600 },
] as const;
const { signal } = new AbortController();

class ClockTest {
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

  /** Runs without faults as of each date, as reference. */
  async prepare(): Promise<void> {
    const databases = await startEmbedded(this.#home); // shared by all four runs
    try {
      for (const asOf of AS_OF) {
        await runOrThrow(run(this.#args(asOf), this.#env()));
        this.#states.set(asOf, await this.#state(asOf));
      }
    } finally {
      await databases.close();
    }
  }

  /** Returns the state of the run, with ClickHouse limited to the as-of date. */
  #state(asOf: string): Promise<State> {
    return readState(this.#home, RUN_ID, asOf);
  }

  /** Sets the time zone and date style of the server, as its administrator may have done. */
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

  async tryZone(zone: typeof ZONES[number]): Promise<FaultResult> {
    const wrong: string[] = [];
    const days = DAYS_BY_ZONE[zone];
    await this.#setServerZone(zone);
    for (const asOf of days) {
      const { code, stderr } = await run(this.#args(asOf), this.#env({ TZ: zone }));
      if (code !== 0) wrong.push(`as of ${asOf} it exited with ${code}: ${stderr.slice(-400)}`);
      const differ = findDifferences(await this.#state(asOf), this.#states.get(asOf)!);
      wrong.push(...differ.map((what) => `as of ${asOf} ${what}`));
    }
    return {
      fault: `command and server in the time zone ${zone}, as of ${days.join(", ")}`,
      tried: days.length,
      outcome: "same files and tables as in UTC; import date as given",
      wrong,
    };
  }

  /** The default as-of date is today in Moscow, regardless of the machine's time zone. */
  async tryDefaultDate(clock: FakeClock): Promise<FaultResult> {
    const wrong: string[] = [];
    const cases = MOMENTS.flatMap((moment, at) => [
      { ...moment, zone: ZONES[at % ZONES.length]! },
      { ...moment, zone: ZONES[(at + 1) % ZONES.length]! },
    ]);
    for (const { utc, today, zone } of cases) {
      const store = await Deno.makeTempDir({ prefix: "salesflow-today-" });
      clock.setTo(utc);
      const env = this.#env({ ...clock.env, TZ: zone, SALESFLOW_STORE: store });
      const { code, stderr } = await run(["generate", "--rows", "50"], env);
      if (code !== 0) wrong.push(`it exited with ${code}: ${stderr.slice(-400)}`);
      const runs = [...Deno.readDirSync(`${store}/runs`)].map(({ name }) => name);
      const asOf = runs.map((name) =>
        JSON.parse(Deno.readTextFileSync(`${store}/runs/${name}/run.json`)).as_of
      );
      if (runs.join() !== today || asOf.join() !== today) {
        wrong.push(`at ${utc} in ${zone} the as-of date was ${asOf}`);
      }
      await Deno.remove(store, { recursive: true });
    }
    clock.set(0);
    return {
      fault: "a run without --as-of seconds before and after midnight in Moscow, in other time zones",
      tried: cases.length,
      outcome: "uses the date in Moscow",
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

  /** The clock jumps in the middle of a stage. In every second case the command is also killed, and resumes at the new time. */
  async tryJumps(clock: FakeClock): Promise<FaultResult> {
    const databases = await startEmbedded(this.#home); // with the correct clock, like separate servers
    try {
      return await this.#runJumps(clock);
    } finally {
      await databases.close();
    }
  }

  async #runJumps(clock: FakeClock): Promise<FaultResult> {
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
      if (code !== 0) wrong.push(`${what}: it exited with ${code}: ${stderr.slice(-400)}`);
      wrong.push(
        ...findDifferences(await this.#state(asOf), this.#states.get(asOf)!).map((d) => `${what}: ${d}`),
      );
    }
    clock.set(0);
    return {
      fault: "the clock jumps by an hour, a day or 400 days during a run",
      tried: JUMPS.length,
      outcome:
        `same files and tables, also if the command is killed and resumes at the new time (${kills} times)`,
      wrong,
    };
  }

  /** The server's clock is set back between runs. The last run must still count as the loaded one. */
  async tryServerClock(clock: FakeClock, folder: string): Promise<FaultResult> {
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
        if (code !== 0) wrong.push(`${seconds} s: it exited with ${code}: ${stderr.slice(-400)}`);
      }
    } finally {
      await server.stop();
      clock.set(0);
    }
    return {
      fault: "PostgreSQL's clock is set back by an hour, then by two days, between runs",
      tried: 2,
      outcome: "the last loaded run counts as the newest; verified",
      wrong,
    };
  }
}

async function runOrThrow(work: Promise<Outcome>): Promise<void> {
  const { code, stderr } = await work;
  if (code !== 0) throw new Error(`a command exited with ${code}: ${stderr.slice(-600)}`);
}

/** Tests all clock faults. @param rows sales per run */
export async function clockFaults(home: string, rows: number): Promise<FaultResult[]> {
  const clocks = new ClockTest(`${home}/zones`, rows);
  await clocks.prepare();
  const results: FaultResult[] = [];
  for (const zone of ZONES) results.push(await clocks.tryZone(zone));
  const clock = await FakeClock.create();
  if (!clock) {
    return [...results, { fault: "wrong clocks", tried: 0, outcome: "", wrong: [], skipped: NO_CLOCK }];
  }
  try {
    const folder = `${home}/server`;
    await Deno.mkdir(folder);
    results.push(await clocks.tryDefaultDate(clock));
    const jumps = await clocks.tryJumps(clock);
    jumps.wrong.push(...await findLeftovers(`${home}/zones`, RUN_ID));
    results.push(jumps);
    return [...results, await clocks.tryServerClock(clock, folder)];
  } finally {
    await clock.remove();
  }
}
