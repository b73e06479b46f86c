/** The disk of the embedded databases becomes full: while they are created, and when they have tables. The store is on another disk. */
import { type Outcome, run } from "./command.ts";
import { Disk, NO_DISK } from "./disk.ts";
import type { FaultResult } from "./result.ts";
import { findDifferences, readFullState, type State } from "./state.ts";
import { findLeftovers, findStrayTables } from "./traces.ts";

const DISK_KB = 400_000;
const RUN_ID = "full";
/** Free space in KB: too little to create the databases, then for replacing their tables. */
const FREE_KB = { fresh: [0, 100, 4_000, 30_000], used: [0, 16, 100, 1_000] } as const;
const SEEDS = [1, 2] as const;

class DatabasesOnDisk {
  readonly #home: string;
  readonly #disk: Disk;
  readonly #rows: number;

  constructor(home: string, disk: Disk, rows: number) {
    this.#home = home;
    this.#disk = disk;
    this.#rows = rows;
  }

  run(seed: number): Promise<Outcome> {
    const sales = ["--rows", String(this.#rows), "--seed", String(seed)];
    return run(["run", "--run-id", RUN_ID, "--as-of", "2026-11-24", ...sales], {
      SALESFLOW_HOME: this.#home,
      SALESFLOW_RETRIES: "2",
      SALESFLOW_TIMEOUT_SECONDS: "20",
    });
  }

  /** Runs without faults and returns the state. */
  async runSound(seed: number): Promise<State> {
    const { code, stderr } = await this.run(seed);
    if (code !== 0) throw new Error(`the run without faults failed: ${stderr}`);
    return await readFullState(this.#home, RUN_ID);
  }

  /** Runs on the full disk. @returns whether the disk became full */
  async runOnFullDisk(seed: number, freeKb: number, wrong: string[]): Promise<boolean> {
    await this.#disk.fill(freeKb);
    const { code, stderr } = await this.run(seed);
    await this.#disk.empty();
    if (code === 0) return false;
    const what = `with ${freeKb} KB free`;
    if (code !== 75) wrong.push(`${what} it exited with ${code}: ${stderr.slice(-600)}`);
    if (!/(the disk is full|no disk space left)[^]*Free disk space/.test(stderr)) {
      wrong.push(`${what} its message was ${stderr.slice(-600)}`);
    }
    return true;
  }
}

/** Tests both faults. @param rows sales per run */
export async function homeDiskFaults(home: string, rows: number): Promise<FaultResult[]> {
  const disk = await Disk.mount(DISK_KB);
  if (!disk) {
    return [{
      fault: "disk of the embedded databases full",
      tried: 0,
      outcome: "",
      wrong: [],
      skipped: NO_DISK,
    }];
  }
  try {
    await Deno.mkdir(home, { recursive: true });
    for (const name of ["postgres", "clickhouse"]) {
      await Deno.mkdir(`${disk.folder}/${name}`);
      await Deno.symlink(`${disk.folder}/${name}`, `${home}/${name}`);
    }
    const databases = new DatabasesOnDisk(home, disk, rows);
    const [fresh, used]: [string[], string[]] = [[], []];
    let [hitsFresh, hitsUsed] = [0, 0];
    for (const freeKb of FREE_KB.fresh) if (await databases.runOnFullDisk(1, freeKb, fresh)) hitsFresh++;
    const states = [await databases.runSound(SEEDS[0]), await databases.runSound(SEEDS[1])];
    for (const [at, freeKb] of FREE_KB.used.entries()) {
      const seed = SEEDS[at % SEEDS.length]!;
      if (await databases.runOnFullDisk(seed, freeKb, used)) hitsUsed++;
      const found = findDifferences(await databases.runSound(seed), states[seed - 1]!);
      used.push(...found.map((difference) => `with ${freeKb} KB free ${difference}`));
    }
    used.push(...await findLeftovers(home, RUN_ID), ...await findStrayTables(home));
    if (hitsFresh < FREE_KB.fresh.length) fresh.push(`only ${hitsFresh} attempts met a full disk`);
    if (hitsUsed < 3) used.push(`only ${hitsUsed} attempts met a full disk`);
    const outcome = "exited with 75; correct files and tables once space is free";
    return [
      {
        fault: "disk full while the embedded databases are created",
        tried: hitsFresh,
        outcome,
        wrong: fresh,
      },
      {
        fault: "disk of the embedded databases full during a run",
        tried: hitsUsed,
        outcome,
        wrong: used,
      },
    ];
  } finally {
    await disk.unmount();
  }
}
