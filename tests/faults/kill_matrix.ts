/**
 * The kill matrix: `kill -9` of the command, or of PostgreSQL, at moments spread over every stage of a run, then the same
 * command again. Files and tables must equal those of a run without faults, with nothing left behind. A kill counts only
 * if it hits its victim in the intended stage.
 */
import { startEmbedded } from "../../lib/embedded/embedded.ts";
import { Random, Stream } from "../../lib/generate/random.ts";
import { type Outcome, postgresOf, run, type Running, start, until } from "./command.ts";
import { findDifferences, readFullState, type State } from "./state.ts";
import { findLeftovers, findStrayTables, listFiles } from "./traces.ts";

const STAGES = ["migrate", "generate", "clean", "load", "aggregate", "transfer", "verify", "report"] as const;
type Stage = typeof STAGES[number];

/** The process to kill. */
export type Victim = "command" | "PostgreSQL";

/** A planned kill. */
export interface Try {
  victim: Victim;
  stage: Stage;
  /**
   * Moment within the stage, as a fraction of its usual duration. `migrate` starts without databases: the first half is
   * their creation, the second half the first migration.
   */
  share: number;
}

/** Result of a kill; it passed if there are no faults. */
export interface TryResult extends Try {
  /** Whether the victim was killed in the intended stage. */
  hit: boolean;
  faults: string[];
}

/** Plans kills: stages in turn, PostgreSQL every third time, moments derived from the seed. */
export function chooseTries(count: number, seed: number): Try[] {
  const random = new Random(seed);
  return Array.from({ length: count }, (_, index) => ({
    victim: index % 3 === 2 ? "PostgreSQL" : "command",
    stage: STAGES[index % STAGES.length]!,
    share: random.unit(Stream.Extra, index),
  }));
}

/** The moment of `migrate` at which the first migration starts. */
const MIGRATION_START = 0.5;
/** A kill that came too late is repeated at this fraction of its moment. */
const RETRY_FACTOR = 0.2;
/** Every stage starts within this time, even on a busy machine. */
const START_TIMEOUT_MS = 120_000;
const RUN_ID = "killed";
const AS_OF = "2026-11-24";

interface Sample {
  seed: number;
  state: State;
  seconds: Record<Stage, number>;
}

interface StageTimes {
  status: string;
  seconds: number;
  attempt: number;
}

function readRecord(home: string, stage: Stage): StageTimes | undefined {
  try {
    return JSON.parse(Deno.readTextFileSync(`${home}/runs/${RUN_ID}/stages/${stage}.json`));
  } catch {
    return undefined; // not started yet
  }
}

async function sleep(seconds: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 1000 * seconds));
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

/** A home with two reference runs. Kills alternate between them, so that a mix of old and new data would be detected. */
export class KillMatrix {
  readonly #folder: string;
  readonly #rows: number;
  readonly #samples: Sample[] = [];
  /** Seconds of creating the databases, and of the first migration. */
  #setupSeconds = { creation: 0, migration: 0 };
  #referenceFiles: string[] = [];

  private constructor(folder: string, rows: number) {
    this.#folder = folder;
    this.#rows = rows;
  }

  /** Makes the reference runs. @param folder for homes @param rows sales per run */
  static async prepare(folder: string, rows: number): Promise<KillMatrix> {
    const matrix = new KillMatrix(folder, rows);
    const home = matrix.#used;
    for (const seed of [1, 2]) {
      const running = start(matrix.#args(seed), { SALESFLOW_HOME: home });
      if (seed === 1) matrix.#setupSeconds = await measureSetup(home, running);
      const { code, stderr } = await running.outcome;
      if (code !== 0) throw new Error(`the run without faults failed: ${stderr}`);
      const seconds = Object.fromEntries(STAGES.map((stage) => [stage, readRecord(home, stage)!.seconds]));
      const state = await readFullState(home, RUN_ID);
      matrix.#samples.push({ seed, state, seconds: seconds as Record<Stage, number> });
    }
    matrix.#referenceFiles = listFiles(home);
    return matrix;
  }

  /** The home with existing databases. */
  get #used(): string {
    return `${this.#folder}/used`;
  }

  #args(seed: number): string[] {
    const sales = ["--rows", String(this.#rows), "--seed", String(seed)];
    return ["run", "--run-id", RUN_ID, "--as-of", AS_OF, ...sales];
  }

  /** Kills, runs again and checks the result. A kill that came too late is repeated once, earlier. */
  async try(index: number, chosen: Try): Promise<TryResult> {
    const first = await this.#once(index, chosen);
    if (first.hit || first.faults.length > 0) return first;
    const { stage, share } = chosen;
    const from = stage === "migrate" && share >= MIGRATION_START ? MIGRATION_START : 0;
    return await this.#once(index, { ...chosen, share: from + (share - from) * RETRY_FACTOR });
  }

  async #once(index: number, chosen: Try): Promise<TryResult> {
    if (chosen.stage !== "migrate") return await this.#killIn(this.#used, index, chosen);
    const home = await Deno.makeTempDir({ dir: this.#folder, prefix: "fresh-" });
    try {
      return await this.#killIn(home, index, chosen);
    } finally {
      await Deno.remove(home, { recursive: true });
    }
  }

  async #killIn(home: string, index: number, chosen: Try): Promise<TryResult> {
    const sample = this.#samples[index % this.#samples.length]!;
    const faults: string[] = [];
    const hit = await this.#kill(home, chosen, sample, faults);
    const again = await run(this.#args(sample.seed), { SALESFLOW_HOME: home });
    if (again.code !== 0) {
      faults.push(`the second run exited with ${again.code}: ${again.stderr.slice(-500)}`);
    } else {
      faults.push(...await findLeftovers(home, RUN_ID, this.#referenceFiles));
      const databases = await startEmbedded(home); // shared by both checks
      try {
        faults.push(...await findStrayTables(home));
        faults.push(...findDifferences(await readFullState(home, RUN_ID), sample.state));
      } finally {
        await databases.close();
      }
    }
    return { ...chosen, hit, faults };
  }

  /** Starts the run and kills the victim. @returns whether it was killed in the stage */
  async #kill(
    home: string,
    { victim, stage, share }: Try,
    sample: Sample,
    faults: string[],
  ): Promise<boolean> {
    const before = readRecord(home, stage)?.attempt ?? 0;
    const hasStarted = () => (readRecord(home, stage)?.attempt ?? 0) > before;
    const isInStage = () =>
      hasStarted() ? readRecord(home, stage)!.status === "running" : stage === "migrate";
    const running = start(this.#args(sample.seed), { SALESFLOW_HOME: home });
    let ended = false;
    running.outcome.then(() => ended = true);
    const isCreating = stage === "migrate" && share < MIGRATION_START;
    await until(
      async () => ended || (isCreating ? await exists(`${home}/embedded`) : hasStarted()),
      START_TIMEOUT_MS,
    );
    await sleep(this.#delay(stage, share, sample));
    if (victim === "command") {
      const sent = !ended && kill(running);
      const outcome = await running.outcome;
      checkExit(outcome, sent && outcome.signal === "SIGKILL", [0], faults);
      return outcome.signal === "SIGKILL" && isInStage();
    }
    // While databases are created, there are moments without a PostgreSQL process.
    let pid: number | undefined;
    await until(() => ended || !isInStage() || (pid = postgresOf(home)) !== undefined, START_TIMEOUT_MS);
    const hit = pid !== undefined && isInStage() && killProcess(pid);
    checkExit(await running.outcome, false, hit ? [0, 75] : [0], faults);
    return hit;
  }

  /** Returns the seconds from the start of a stage, or of its half, to the moment. */
  #delay(stage: Stage, share: number, { seconds }: Sample): number {
    if (stage !== "migrate") return seconds[stage] * share;
    const { creation, migration } = this.#setupSeconds;
    return share < MIGRATION_START
      ? creation * share / MIGRATION_START
      : migration * (share - MIGRATION_START) / (1 - MIGRATION_START);
  }
}

/** Measures the creation of the databases and the first migration, in seconds. */
async function measureSetup(
  home: string,
  { outcome }: Running,
): Promise<{ creation: number; migration: number }> {
  let ended = false;
  outcome.then(() => ended = true);
  await until(async () => ended || await exists(`${home}/embedded`), START_TIMEOUT_MS);
  const started = performance.now();
  await until(() => ended || readRecord(home, "migrate") !== undefined, START_TIMEOUT_MS);
  const creation = (performance.now() - started) / 1000;
  await until(() => ended || readRecord(home, "migrate")?.status === "done", START_TIMEOUT_MS);
  return { creation, migration: readRecord(home, "migrate")?.seconds ?? 0 };
}

/** Adds a fault unless the command was killed or exited with one of the codes. */
function checkExit({ code, stderr }: Outcome, killed: boolean, codes: number[], faults: string[]): void {
  if (!killed && !codes.includes(code)) faults.push(`the command exited with ${code}: ${stderr.slice(-500)}`);
}

function kill({ child }: Running): boolean {
  try {
    child.kill("SIGKILL");
    return true;
  } catch {
    return false; // it has already exited
  }
}

function killProcess(pid: number): boolean {
  try {
    Deno.kill(pid, "SIGKILL");
    return true;
  } catch {
    return false;
  }
}
