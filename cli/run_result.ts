/** The result of `salesflow run --json`, and of its dry run. */
import { exitCodeOf, messageChain, SalesflowError } from "../lib/console/errors.ts";
import { asTyped } from "../lib/console/invocation.ts";
import type { Plan } from "../lib/pipeline/plan.ts";
import { readStage, type RunRecord, type StageRecord } from "../lib/pipeline/records.ts";
import type { StageName } from "../lib/pipeline/stage.ts";
import { runLocation } from "./session.ts";
import type { Store } from "../lib/store/store.ts";

/** What a run did. The names are part of the interface: docs/json.md. */
export interface RunResult {
  /** Name of the run; null when the command failed before it was known. */
  run_id: string | null;
  /** As-of date; null as above. */
  as_of: string | null;
  /** Where its sales come from; null as above. */
  source: RunRecord["source"] | null;
  /** Outcome of the command. */
  status: "done" | "failed";
  /** Where it resumed, and why; null when it did not resume. */
  resumed: { at: StageName; reason: string } | null;
  /** Records of the stages that this command started, in order. */
  stages: StageRecord[];
  /** Duration of all stages. */
  seconds: number;
  /** Folder of the run: a path, or a URL of a bucket; null as above. */
  folder: string | null;
  /** The report; null unless this command wrote it. */
  report: string | null;
  /** Why it failed; null when it did not. */
  error: { message: string; causes: string[]; remedy: string | null; exit_code: number } | null;
}

/** Collects the result while a run proceeds. */
export class RunResultCollector {
  readonly #started = performance.now();
  readonly #stages: StageName[] = [];
  #run: { store: Store; runId: string; asOf: string } | undefined;
  #source: RunRecord["source"] | null = null;
  #resumed: Plan["resumed"];

  /** The run and the plan are known. */
  plan(run: { store: Store; runId: string; asOf: string }, source: RunRecord["source"], plan: Plan): void {
    this.#run = run;
    this.#source = source;
    this.#resumed = plan.resumed;
  }

  /** A stage begins. */
  start(stage: StageName): void {
    this.#stages.push(stage);
  }

  /** The run, as far as it is known. */
  get place(): Pick<RunResult, "run_id" | "folder"> {
    const run = this.#run;
    return { run_id: run?.runId ?? null, folder: run ? runLocation(run) : null };
  }

  /** Returns the result so far. @param error why the command failed, if it did */
  async result(error?: unknown): Promise<RunResult> {
    const run = this.#run;
    const stages: StageRecord[] = [];
    for (const stage of run ? this.#stages : []) {
      // The store may be the reason of the failure.
      const record = await readStage(run!.store, run!.runId, stage).catch(() => undefined);
      if (record) stages.push(record);
    }
    const isReported = stages.some(({ stage, status }) => stage === "report" && status === "done");
    const { run_id, folder } = this.place;
    return {
      run_id,
      as_of: run?.asOf ?? null,
      source: this.#source,
      status: error === undefined ? "done" : "failed",
      resumed: this.#resumed ?? null,
      stages,
      seconds: Math.round(performance.now() - this.#started) / 1000,
      folder,
      report: run && isReported ? runLocation(run, "report", "report.html") : null,
      error: error === undefined ? null : describeError(error),
    };
  }
}

function describeError(error: unknown): RunResult["error"] {
  const [message = "", ...causes] = messageChain(error);
  const remedy = error instanceof SalesflowError && error.remedy ? asTyped(error.remedy) : null;
  return { message, causes, remedy, exit_code: exitCodeOf(error) };
}
