/** One call of the command: its logging, signals, store, run, databases, and the stages it runs. */
import { join } from "node:path";
import { databaseUrls } from "../lib/connection/database_urls.ts";
import { isAsOfDate, type IsoDate, today } from "../lib/domain/dates.ts";
import { exitCodeOf, messageChain, SalesflowError } from "../lib/console/errors.ts";
import { logger, setUpLogging } from "../lib/console/log.ts";
import {
  noSuchRun,
  readRun,
  readStage,
  type RunRecord,
  type StageRecord,
  writeStage,
} from "../lib/pipeline/records.ts";
import type { StageContext, StageName, StageResult } from "../lib/pipeline/stage.ts";
import { type Progress, startProgress } from "../lib/console/progress.ts";
import { lockRun } from "../lib/store/run_lock.ts";
import { openStore } from "../lib/store/open_store.ts";
import type { Lock, Store } from "../lib/store/store.ts";
import { openDatabases } from "./databases.ts";
import { stopSignal } from "./stop_signal.ts";
import { unknownVariables } from "./variables.ts";

/** Values of the options that every stage has. */
export interface StageValues {
  runId?: string | undefined;
  asOf?: string | undefined;
  home: string;
  store?: string | undefined;
  logFormat?: "text" | "json" | undefined;
  quiet: boolean;
}

/** What a session needs besides its options. */
export interface Needs {
  postgres?: boolean;
  clickhouse?: boolean;
  /** The session may open a run that does not exist yet; its raw data may then be of one source only, unless that is all the same. */
  newRun?: boolean | RunRecord["source"];
  /** The share of the run to lock against other commands; the whole run by default, nothing when null. */
  lock?: string | null;
}

/** Sets up logging as the options say. */
export async function startLogging(
  { logFormat, quiet }: Pick<StageValues, "logFormat" | "quiet">,
): Promise<void> {
  await setUpLogging(logFormat ?? (Deno.stderr.isTerminal() ? "text" : "json"), quiet);
  const unknown = unknownVariables(Object.keys(Deno.env.toObject()));
  if (unknown.length > 0) {
    logger("environment").warn(`no command reads ${unknown.join(" ").replaceAll(/[{}]/g, "")}`);
  }
}

/** Whether progress bars may be drawn. */
export function drawsProgress({ logFormat, quiet }: Pick<StageValues, "logFormat" | "quiet">): boolean {
  return Deno.stderr.isTerminal() && Deno.env.get("TERM") !== "dumb" && logFormat !== "json" && !quiet;
}

/** The store that the options name. */
export function storeOf({ store, home }: Pick<StageValues, "store" | "home">): Store {
  return openStore(store ?? home);
}

/** A run that is being worked on. */
export class Session {
  readonly runId: string;
  readonly asOf: IsoDate;
  readonly store: Store;
  readonly signal: AbortSignal;
  readonly #lost: AbortSignal | undefined;
  readonly #urls: { postgresUrl: string; clickhouseUrl: string };
  readonly #drawProgress: boolean;

  private constructor(
    { runId, asOf }: { runId: string; asOf: IsoDate },
    store: Store,
    { signal, lost }: { signal: AbortSignal; lost: AbortSignal | undefined },
    urls: { postgresUrl: string; clickhouseUrl: string },
    drawProgress: boolean,
  ) {
    this.runId = runId;
    this.asOf = asOf;
    this.store = store;
    this.signal = signal;
    this.#lost = lost;
    this.#urls = urls;
    this.#drawProgress = drawProgress;
  }

  /** Opens a session, does the work and closes it, whatever happens. */
  static async with(
    values: StageValues,
    needs: Needs,
    work: (session: Session) => Promise<void>,
  ): Promise<void> {
    await startLogging(values);
    const urls = databaseUrls();
    const store = storeOf(values);
    const stop = stopSignal("Everything finished so far is kept: run the same command again to go on.");
    const run = await findRun(store, values, needs.newRun ?? false);
    const lock = needs.lock === null ? undefined : await takeLock(store, run.runId, needs.lock);
    const signal = lock ? AbortSignal.any([stop, lock.lost]) : stop;
    try {
      const draw = drawsProgress(values);
      const databases = await openDatabases(values.home, needs, urls, signal, draw);
      try {
        await work(new Session(run, store, { signal, lost: lock?.lost }, databases, draw));
      } finally {
        await databases.close();
      }
    } finally {
      await lock?.release();
    }
  }

  /** Runs one stage: keeps its record, shows its progress, and names it in its errors. */
  async stage(name: StageName, work: (context: StageContext) => Promise<StageResult>): Promise<StageResult> {
    this.signal.throwIfAborted();
    const started = performance.now();
    const record = await this.#begin(name);
    const progress = startProgress(name, this.#drawProgress);
    try {
      const result = await work(this.#context(progress));
      this.#lost?.throwIfAborted();
      progress.stop();
      const seconds = round(performance.now() - started);
      const { rowsIn, rowsOut, facts, unfinished } = result;
      // The stage is done when its dataset is there, which is for another command to say.
      if (!unfinished) {
        const done = { status: "done" as const, seconds, rows_in: rowsIn, rows_out: rowsOut, facts };
        await writeStage(this.store, this.runId, {
          ...record,
          ...done,
          finished_at: new Date().toISOString(),
        });
      }
      const rowsPerSecond = Math.round(Math.max(rowsIn, rowsOut) / Math.max(seconds, 0.001));
      logger(name).info("{rows_in} rows in, {rows_out} rows out, {seconds} s, {rows_per_second} rows/s", {
        run_id: this.runId,
        rows_in: rowsIn,
        rows_out: rowsOut,
        seconds,
        rows_per_second: rowsPerSecond,
      });
      return result;
    } catch (error) {
      progress.stop();
      await this.#fail(record, error, round(performance.now() - started));
      throw error;
    }
  }

  /** Calls `work` with a stage's context, outside of any stage. */
  context<T>(work: (context: StageContext) => Promise<T>): Promise<T> {
    return work(this.#context({ update() {}, stop() {} }));
  }

  #context(progress: Progress): StageContext {
    const { runId, asOf, store, signal } = this;
    return {
      runId,
      asOf,
      store,
      signal,
      ...this.#urls,
      progress: (rows, total) => progress.update(rows, total),
    };
  }

  async #begin(stage: StageName): Promise<StageRecord> {
    const before = await readStage(this.store, this.runId, stage);
    const record: StageRecord = {
      stage,
      status: "running",
      engine: "native",
      attempt: (before?.attempt ?? 0) + 1,
      started_at: new Date().toISOString(),
      finished_at: null,
      seconds: null,
      rows_in: null,
      rows_out: null,
      facts: {},
      error: null,
    };
    await writeStage(this.store, this.runId, record);
    return record;
  }

  async #fail(record: StageRecord, error: unknown, seconds: number): Promise<void> {
    // The records are those of whoever has the run now.
    if (this.#lost?.aborted) return;
    const remedy = error instanceof SalesflowError ? error.remedy ?? null : null;
    const failure = { message: messageChain(error).join(": "), remedy, exit_code: exitCodeOf(error) };
    try {
      const finished = { status: "failed" as const, seconds, finished_at: new Date().toISOString() };
      await writeStage(this.store, this.runId, { ...record, ...finished, error: failure });
    } catch (second) {
      // The store may be what failed; the first error is the one to report.
      logger(record.stage).warn("cannot keep a record of the failure: {message}", {
        message: messageChain(second).join(": "),
      });
    }
  }
}

function round(milliseconds: number): number {
  return Math.round(milliseconds) / 1000;
}

async function findRun(
  store: Store,
  { runId, asOf }: StageValues,
  newRun: boolean | RunRecord["source"],
): Promise<{ runId: string; asOf: IsoDate }> {
  const id = runId ?? asOf ?? today();
  const run = await readRun(store, id);
  if (run && !newRun && asOf && asOf !== run.as_of) {
    throw new SalesflowError(`Run ${id} is as of ${run.as_of}, not ${asOf}`, {
      exitCode: 2,
      remedy: "Leave --as-of out, or pass another --run-id.",
    });
  }
  if (run && typeof newRun === "string" && run.source !== newRun) {
    throw new SalesflowError(`Run ${id} was ${run.source}: it is not replaced by ${newRun} sales`, {
      exitCode: 2,
      remedy: "Pass another --run-id.",
    });
  }
  if (!run && !newRun) throw noSuchRun(store, id);
  return { runId: id, asOf: asOf ?? run?.as_of ?? (isAsOfDate(id) ? id : today()) };
}

async function takeLock(store: Store, runId: string, share: string | undefined): Promise<Lock> {
  const lock = await lockRun(store, runId, share);
  try {
    // Whoever holds the run alone may throw away what killed commands left half written.
    if (share === undefined) await store.sweep(`runs/${runId}`);
  } catch (error) {
    await lock.release();
    throw error;
  }
  return lock;
}

/** Where a run's folder is, for people. */
export function runPlace({ store, runId }: Session): string {
  const url = new URL(store.url);
  return url.protocol === "file:"
    ? join(decodeURIComponent(url.pathname), "runs", runId)
    : `${store.url}/runs/${runId}`;
}
