/**
 * The kill matrix: `kill -9` of the command, and separately of PostgreSQL, at moments spread over every stage of a run; then the same command again. Files and
 * tables must be those of an undisturbed run, and nothing may be left behind.
 */
import { join } from "node:path";
import { startEmbedded } from "../../lib/embedded/embedded.ts";
import { Random, Stream } from "../../lib/generate/random.ts";
import { run, type Running, start, until } from "./command.ts";
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
  /** Moment inside the stage, as a share of its usual time. */
  share: number;
}

/** How a try went; no faults means that everything was as it must be. */
export interface TryResult extends Try {
  /** Whether the victim was hit before the command was through. */
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

interface Sample {
  seed: number;
  state: State;
  seconds: Record<Stage, number>;
}

/** A home with two undisturbed samples; tries alternate between them, so that a mix of old and new would show. */
export class KillMatrix {
  readonly #home: string;
  readonly #rows: number;
  readonly #samples: Sample[] = [];
  #undisturbed: string[] = [];
  static readonly #RUN_ID = "killed";

  private constructor(home: string, rows: number) {
    this.#home = home;
    this.#rows = rows;
  }

  /** Makes the undisturbed runs. @param rows sales of each run */
  static async prepare(home: string, rows: number): Promise<KillMatrix> {
    const matrix = new KillMatrix(home, rows);
    for (const seed of [1, 2]) {
      const { code, stderr } = await run(matrix.#args(seed), matrix.#env());
      if (code !== 0) throw new Error(`the undisturbed run failed: ${stderr}`);
      const seconds = Object.fromEntries(
        STAGES.map((stage) => [stage, matrix.#record(stage).seconds]),
      ) as Record<Stage, number>;
      matrix.#samples.push({ seed, state: await wholeStateOf(home, KillMatrix.#RUN_ID), seconds });
    }
    matrix.#undisturbed = listing(home);
    return matrix;
  }

  #env(): Record<string, string> {
    return { SALESFLOW_HOME: this.#home };
  }

  #args(seed: number): string[] {
    return [
      "run",
      "--run-id",
      KillMatrix.#RUN_ID,
      "--as-of",
      "2026-11-24",
      "--rows",
      String(this.#rows),
      "--seed",
      String(seed),
    ];
  }

  #record(stage: Stage): { status: string; seconds: number; attempt: number } {
    return JSON.parse(
      Deno.readTextFileSync(join(this.#home, "runs", KillMatrix.#RUN_ID, "stages", `${stage}.json`)),
    );
  }

  #attempt(stage: Stage): number {
    try {
      return this.#record(stage).attempt;
    } catch {
      return 0;
    }
  }

  /** Kills once, runs again, and looks. */
  async try(index: number, { victim, stage, share }: Try): Promise<TryResult> {
    const { seed, state, seconds } = this.#samples[index % this.#samples.length]!;
    const before = this.#attempt(stage);
    const running = start(this.#args(seed), this.#env());
    let ended = false;
    running.outcome.then(() => ended = true);
    await until(() => ended || this.#attempt(stage) > before, 60_000);
    await new Promise((resolve) => setTimeout(resolve, 1000 * seconds[stage] * share));
    const hit = !ended && (victim === "command" ? kill(running) : killPostgres(this.#home));
    const { code, stderr } = await running.outcome;
    const faults: string[] = [];
    if (victim === "PostgreSQL" && hit && ![0, 1, 75].includes(code)) {
      faults.push(`the command ended with ${code}: ${stderr.slice(-300)}`);
    }
    const again = await run(this.#args(seed), this.#env());
    if (again.code !== 0) faults.push(`the second run ended with ${again.code}: ${again.stderr.slice(-500)}`);
    else {
      faults.push(...await leftovers(this.#home, KillMatrix.#RUN_ID, this.#undisturbed));
      const databases = await startEmbedded(this.#home); // once for both looks
      try {
        faults.push(...await strayTables(this.#home));
        faults.push(...differences(await wholeStateOf(this.#home, KillMatrix.#RUN_ID), state));
      } finally {
        await databases.close();
      }
    }
    return { victim, stage, share, hit, faults };
  }
}

function kill({ child }: Running): boolean {
  try {
    child.kill("SIGKILL");
    return true;
  } catch {
    return false; // it was through already
  }
}

function killPostgres(home: string): boolean {
  for (const { name } of Deno.readDirSync(join(home, "postgres"))) {
    try {
      const pid = Number(
        Deno.readTextFileSync(join(home, "postgres", name, "postmaster.pid")).split("\n")[0],
      );
      Deno.kill(pid, "SIGKILL");
      return true;
    } catch {
      // No server of this folder runs.
    }
  }
  return false;
}
