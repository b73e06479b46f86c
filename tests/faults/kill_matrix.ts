/**
 * The kill matrix: `kill -9` of the command, and separately of PostgreSQL, at moments spread over every stage of a run; then the same command again. Files and
 * tables must be those of an undisturbed run, and nothing may be left behind. A kill counts only when it hits its victim in the stage that was meant.
 */
import { startEmbedded } from "../../lib/embedded/embedded.ts";
import { Random, Stream } from "../../lib/generate/random.ts";
import { type Outcome, postgresOf, run, type Running, start, until } from "./command.ts";
import { differences, type State, wholeStateOf } from "./state.ts";
import { leftovers, listing, strayTables } from "./traces.ts";

const STAGES = ["migrate", "generate", "clean", "load", "aggregate", "transfer", "verify", "report"] as const;
type Stage = typeof STAGES[number];

/** What is killed. */
export type Victim = "command" | "PostgreSQL";

/** One try. */
export interface Try {
  victim: Victim;
  stage: Stage;
  /**
   * Moment inside the stage, as a share of its usual time. `migrate` begins with no databases: its first half is the making of them, its second half the
   * first migration.
   */
  share: number;
}

/** How a try went; no faults means that everything was as it must be. */
export interface TryResult extends Try {
  /** Whether the victim was killed in the stage that was meant. */
  hit: boolean;
  faults: string[];
}

/** Chosen tries: every stage in turn, PostgreSQL every third time, moments from the seed. */
export function chooseTries(count: number, seed: number): Try[] {
  const random = new Random(seed);
  return Array.from({ length: count }, (_, index) => ({
    victim: index % 3 === 2 ? "PostgreSQL" : "command",
    stage: STAGES[index % STAGES.length]!,
    share: random.unit(Stream.Extra, index),
  }));
}

/** Where the first migration begins among the moments of `migrate`. */
const MIGRATION = 0.5;
/** A kill that came too late is tried again so much earlier in its stage. */
const EARLIER = 0.2;
/** No stage of these runs begins later, on however busy a machine. */
const BEGIN_MS = 120_000;
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

function record(home: string, stage: Stage): StageTimes | undefined {
  try {
    return JSON.parse(Deno.readTextFileSync(`${home}/runs/${RUN_ID}/stages/${stage}.json`));
  } catch {
    return undefined; // not begun yet
  }
}

async function sleep(seconds: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 1000 * seconds));
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

/** A home with two undisturbed samples; tries alternate between them, so that a mix of old and new would show. */
export class KillMatrix {
  readonly #folder: string;
  readonly #rows: number;
  readonly #samples: Sample[] = [];
  /** From the first folder of the databases to the first migration, and that one itself. */
  #birth = { making: 0, migrating: 0 };
  #undisturbed: string[] = [];

  private constructor(folder: string, rows: number) {
    this.#folder = folder;
    this.#rows = rows;
  }

  /** Makes the undisturbed runs. @param folder for homes @param rows sales of each run */
  static async prepare(folder: string, rows: number): Promise<KillMatrix> {
    const matrix = new KillMatrix(folder, rows);
    const home = matrix.#used;
    for (const seed of [1, 2]) {
      const running = start(matrix.#args(seed), { SALESFLOW_HOME: home });
      if (seed === 1) matrix.#birth = await watchBirth(home, running);
      const { code, stderr } = await running.outcome;
      if (code !== 0) throw new Error(`the undisturbed run failed: ${stderr}`);
      const seconds = Object.fromEntries(STAGES.map((stage) => [stage, record(home, stage)!.seconds]));
      const state = await wholeStateOf(home, RUN_ID);
      matrix.#samples.push({ seed, state, seconds: seconds as Record<Stage, number> });
    }
    matrix.#undisturbed = listing(home);
    return matrix;
  }

  /** The home that has databases already. */
  get #used(): string {
    return `${this.#folder}/used`;
  }

  #args(seed: number): string[] {
    const sales = ["--rows", String(this.#rows), "--seed", String(seed)];
    return ["run", "--run-id", RUN_ID, "--as-of", AS_OF, ...sales];
  }

  /** Kills, runs again, and looks; a kill that came too late is tried once more, earlier. */
  async try(index: number, chosen: Try): Promise<TryResult> {
    const first = await this.#once(index, chosen);
    if (first.hit || first.faults.length > 0) return first;
    const { stage, share } = chosen;
    const from = stage === "migrate" && share >= MIGRATION ? MIGRATION : 0;
    return await this.#once(index, { ...chosen, share: from + (share - from) * EARLIER });
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
    if (again.code !== 0) faults.push(`the second run ended with ${again.code}: ${again.stderr.slice(-500)}`);
    else {
      faults.push(...await leftovers(home, RUN_ID, this.#undisturbed));
      const databases = await startEmbedded(home); // once for both looks
      try {
        faults.push(...await strayTables(home));
        faults.push(...differences(await wholeStateOf(home, RUN_ID), sample.state));
      } finally {
        await databases.close();
      }
    }
    return { ...chosen, hit, faults };
  }

  /** Starts the run and kills. @returns whether the victim died in the stage */
  async #kill(
    home: string,
    { victim, stage, share }: Try,
    sample: Sample,
    faults: string[],
  ): Promise<boolean> {
    const before = record(home, stage)?.attempt ?? 0;
    const begun = () => (record(home, stage)?.attempt ?? 0) > before;
    const inside = () => begun() ? record(home, stage)!.status === "running" : stage === "migrate";
    const running = start(this.#args(sample.seed), { SALESFLOW_HOME: home });
    let ended = false;
    running.outcome.then(() => ended = true);
    const making = stage === "migrate" && share < MIGRATION;
    await until(async () => ended || (making ? await exists(`${home}/embedded`) : begun()), BEGIN_MS);
    await sleep(this.#delay(stage, share, sample));
    if (victim === "command") {
      const tried = !ended && kill(running);
      const outcome = await running.outcome;
      checkEnd(outcome, tried && outcome.signal === "SIGKILL", [0], faults);
      return outcome.signal === "SIGKILL" && inside();
    }
    // While databases are made, there are moments without any process of PostgreSQL.
    let pid: number | undefined;
    await until(() => ended || !inside() || (pid = postgresOf(home)) !== undefined, BEGIN_MS);
    const hit = pid !== undefined && inside() && killProcess(pid);
    checkEnd(await running.outcome, false, hit ? [0, 75] : [0], faults);
    return hit;
  }

  /** Seconds from the beginning of a stage, or of its half, to the moment. */
  #delay(stage: Stage, share: number, { seconds }: Sample): number {
    if (stage !== "migrate") return seconds[stage] * share;
    const { making, migrating } = this.#birth;
    return share < MIGRATION ? making * share / MIGRATION : migrating * (share - MIGRATION) / (1 - MIGRATION);
  }
}

/** How long an undisturbed run takes to make the databases and to migrate them for the first time, in seconds. */
async function watchBirth(
  home: string,
  { outcome }: Running,
): Promise<{ making: number; migrating: number }> {
  let ended = false;
  outcome.then(() => ended = true);
  await until(async () => ended || await exists(`${home}/embedded`), BEGIN_MS);
  const started = performance.now();
  await until(() => ended || record(home, "migrate") !== undefined, BEGIN_MS);
  const making = (performance.now() - started) / 1000;
  await until(() => ended || record(home, "migrate")?.status === "done", BEGIN_MS);
  return { making, migrating: record(home, "migrate")?.seconds ?? 0 };
}

/** A command that was killed has no exit code; any other must have ended with one of these. */
function checkEnd({ code, stderr }: Outcome, killed: boolean, codes: number[], faults: string[]): void {
  if (!killed && !codes.includes(code)) faults.push(`the command ended with ${code}: ${stderr.slice(-500)}`);
}

function kill({ child }: Running): boolean {
  try {
    child.kill("SIGKILL");
    return true;
  } catch {
    return false; // it was through already
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
