/**
 * The disk of the database server becomes full while load and aggregate write. The command must exit with 75 and name the
 * server, the tables must not change, and the same command must succeed once space is free, even if the server could not
 * write its WAL and crashed.
 */
import { withPostgres } from "../../lib/postgres/session.ts";
import { type Outcome, run } from "./command.ts";
import { Disk, NO_DISK } from "./disk.ts";
import type { FaultResult } from "./result.ts";
import { SmallPostgres } from "./small_postgres.ts";
import { POSTGRES_TABLES } from "./state.ts";

const DISK_KB = 144_000;
const STAGES = ["load", "aggregate"] as const;
type Stage = typeof STAGES[number];
/** Free space in KB when the stage starts: from none to almost enough. */
const FREE_KB: Record<Stage, readonly number[]> = {
  load: [0, 200, 700, 1_500, 3_000, 6_000],
  aggregate: [0, 8, 64, 160, 320, 640],
};
const RUNS = ["one", "two"] as const;
const LIMITS = { SALESFLOW_RETRIES: "2", SALESFLOW_TIMEOUT_SECONDS: "20" };
const MAX_START_ATTEMPTS = 3;
const { signal } = new AbortController();

/** Server settings: wal_level=minimal skips the WAL for a new table; the default level can fail while writing it. */
const SERVERS = [
  { name: "", settings: { wal_level: "minimal", max_wal_senders: "0" } },
  { name: ", with wal_level=replica", settings: { wal_level: "replica" } },
];

class FullServer {
  readonly #home: string;
  readonly #disk: Disk;
  readonly #server: SmallPostgres;
  readonly #states: string[][] = [];
  #loaded = 1;

  private constructor(home: string, disk: Disk, server: SmallPostgres) {
    this.#home = home;
    this.#disk = disk;
    this.#server = server;
  }

  static async prepare(home: string, disk: Disk, server: SmallPostgres, rows: number): Promise<FullServer> {
    const full = new FullServer(home, disk, server);
    for (const [index, runId] of RUNS.entries()) {
      const sales = ["--rows", String(rows), "--seed", String(index + 1), "--as-of", "2026-11-24"];
      await runOrThrow(full.#run(["generate", "--run-id", runId, ...sales]));
      await runOrThrow(full.#run(["clean", "--run-id", runId]));
    }
    await runOrThrow(full.#run(["migrate"]));
    // Twice each, so that the recorded states are those after a load into existing tables.
    for (const index of [0, 1, 0, 1]) {
      for (const stage of STAGES) await runOrThrow(full.#stage(stage, index));
      full.#states[index] = await full.#state();
    }
    return full;
  }

  #run(args: string[]): Promise<Outcome> {
    return run(args, {
      ...LIMITS,
      SALESFLOW_HOME: this.#home,
      SALESFLOW_POSTGRES_URL: this.#server.url,
    });
  }

  #stage(stage: Stage, index: number): Promise<Outcome> {
    return this.#run([stage, "--run-id", RUNS[index]!]);
  }

  /** Returns a checksum per table. */
  #state(): Promise<string[]> {
    return withPostgres({ url: this.#server.url, stage: "test", signal }, async (db) => {
      const found: string[] = [];
      for (const [table, columns] of Object.entries(POSTGRES_TABLES)) {
        const { checksum } = await db.one(
          `SELECT md5(string_agg(line, E'\\n' ORDER BY line COLLATE "C")) AS checksum FROM (SELECT ROW(${columns})::text AS line FROM ${table}) AS t`,
        );
        found.push(`${table} ${checksum}`);
      }
      return found;
    });
  }

  /** Restarts the server if needed and returns the state. The server may still be crashing at the first attempt. */
  async #recover(): Promise<string[]> {
    for (let left = MAX_START_ATTEMPTS - 1;; left--) {
      try {
        await this.#server.start();
        return await this.#state();
      } catch (error) {
        if (left === 0) throw error;
      }
    }
  }

  /**
   * Fills the disk up to an amount of free space, runs the stage, checks the tables, frees the disk and runs it again.
   *
   * @returns whether the disk became full, and whether the server crashed
   */
  async try(stage: Stage, freeKb: number, wrong: string[]): Promise<{ full: boolean; crashed: boolean }> {
    const what = `with ${freeKb} KB free`;
    const index = stage === "load" ? 1 - this.#loaded : this.#loaded;
    const logStart = this.#server.log.length;
    const before = await this.#state();
    await this.#disk.fill(freeKb);
    const { code, stderr } = await this.#stage(stage, index);
    const full = code !== 0;
    if (full) {
      if (code !== 75) wrong.push(`${what} it exited with ${code}: ${stderr.slice(-400)}`);
    }
    await this.#disk.empty();
    const crashed = /PANIC|terminated by signal|database system is shut down/.test(
      this.#server.log.slice(logStart),
    );
    const explains = /no disk space left[^]*Free disk space on the database server/.test(stderr) ||
      (crashed && /cannot be reached or failed temporarily[^]*Check that the server is running/.test(stderr));
    if (full && !explains) wrong.push(`${what} its message was ${stderr.slice(-400)}`);
    const now = await this.#recover();
    if (full) {
      const differ = now.filter((line, at) => line !== before[at]);
      if (differ.length > 0) wrong.push(`${what} the old tables changed: ${differ.join(", ")}`);
    }
    for (const name of stage === "load" ? STAGES : [stage]) {
      const again = await this.#stage(name, index);
      if (again.code !== 0) {
        wrong.push(`${what} the next run exited with ${again.code}: ${again.stderr.slice(-400)}`);
      }
    }
    this.#loaded = index;
    const expected = this.#states[index]!;
    const differ = (await this.#state()).filter((line, at) => line !== expected[at]);
    if (differ.length > 0) wrong.push(`${what} tables differ: ${differ.join(", ")}`);
    return { full, crashed };
  }
}

async function runOrThrow(work: Promise<Outcome>): Promise<void> {
  const { code, stderr } = await work;
  if (code !== 0) throw new Error(`a command exited with ${code}: ${stderr.slice(-600)}`);
}

/** Tests all full-disk faults of PostgreSQL. @param rows sales per run */
export async function databaseDiskFaults(home: string, rows: number): Promise<FaultResult[]> {
  const results: FaultResult[] = [];
  for (const [at, { name, settings }] of SERVERS.entries()) {
    const disk = await Disk.mount(DISK_KB);
    if (!disk) {
      const fault = "disk of PostgreSQL full";
      return [{ fault, tried: 0, outcome: "", wrong: [], skipped: NO_DISK }];
    }
    let server: SmallPostgres | undefined;
    try {
      server = await SmallPostgres.create(disk.folder, settings);
      const full = await FullServer.prepare(`${home}/${at}`, disk, server, rows);
      for (const stage of STAGES) {
        const wrong: string[] = [];
        let [hits, crashes] = [0, 0];
        for (const freeKb of FREE_KB[stage]) {
          const { full: hit, crashed } = await full.try(stage, freeKb, wrong);
          if (hit) hits++;
          if (crashed) crashes++;
        }
        if (hits < 3) wrong.push(`only ${hits} attempts met a full disk`);
        const died = crashes > 0 ? ` (the server crashed ${crashes} times)` : "";
        results.push({
          fault: `disk of PostgreSQL full while ${stage} writes${name}`,
          tried: hits,
          outcome: `exited with 75, old tables kept; correct tables once space is free${died}`,
          wrong,
        });
      }
    } finally {
      await server?.stop();
      await disk.unmount();
    }
  }
  return results;
}
