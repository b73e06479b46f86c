/** A session: the run that a command works on, with its lock, databases, and stage records. */
import { type ClickHouse, withClickHouse } from "../lib/clickhouse/session.ts";
import { join } from "node:path";
import { readDatabaseUrls } from "../lib/connection/database_urls.ts";
import type { IsoDate } from "../lib/domain/dates.ts";
import { exitCodeOf, messageChain, SalesflowError } from "../lib/console/errors.ts";
import { escapePlaceholders, logger, setUpLogging } from "../lib/console/log.ts";
import { isInProgress } from "../lib/pipeline/plan.ts";
import { readStage, type RunRecord, type StageRecord, writeStage } from "../lib/pipeline/records.ts";
import type { StageContext, StageName, StageResult } from "../lib/pipeline/stage.ts";
import { OtherRunError } from "../lib/postgres/loaded_run.ts";
import { type Progress, startProgress } from "../lib/console/progress.ts";
import { lockRun } from "../lib/store/run_lock.ts";
import { openStore } from "../lib/store/open_store.ts";
import type { Lock, Store } from "../lib/store/store.ts";
import { openDatabases } from "./databases.ts";
import { describeResult } from "./describe_result.ts";
import { findRun } from "./find_run.ts";
import { stopSignal } from "./stop_signal.ts";
import { findUnknownVariables } from "./variables.ts";

/** Values of the options that all stages have. */
export interface StageValues {
  /** Name of the run. */
  runId?: string | undefined;
  /** As-of date. */
  asOf?: string | undefined;
  /** Folder of the embedded databases. */
  home: string;
  /** Location of the store. @default the home */
  store?: string | undefined;
  /** Log format. @default depends on the terminal */
  logFormat?: "text" | "json" | undefined;
  /** Whether to log only warnings and errors. */
  quiet: boolean;
}

/** Requirements of a session. */
export interface Needs {
  /** Whether to connect to PostgreSQL. */
  postgres?: boolean;
  /** Whether to connect to ClickHouse. */
  clickhouse?: boolean;
  /** Whether the run may be new, or get new sales of a source: see {@linkcode findRun}. */
  newRun?: boolean | RunRecord["source"];
  /** Name of the shard to lock; the whole run by default, nothing when null. */
  lock?: string | null;
}

/** Sets up logging according to the options, and warns about unknown environment variables. */
export async function startLogging(
  { logFormat, quiet }: Pick<StageValues, "logFormat" | "quiet">,
): Promise<void> {
  await setUpLogging(logFormat ?? (Deno.stderr.isTerminal() ? "text" : "json"), quiet);
  const unknown = findUnknownVariables(Object.keys(Deno.env.toObject()));
  if (unknown.length > 0) {
    logger("environment").warn(`unknown environment variables: ${unknown.join(" ").replaceAll(/[{}]/g, "")}`);
  }
}

/** Returns whether to draw progress bars. */
export function shouldDrawProgress({ logFormat, quiet }: Pick<StageValues, "logFormat" | "quiet">): boolean {
  return Deno.stderr.isTerminal() && Deno.env.get("TERM") !== "dumb" && logFormat !== "json" && !quiet;
}

/** Opens the store that the options select. */
export function openSelectedStore({ store, home }: Pick<StageValues, "store" | "home">): Store {
  return openStore(store ?? home);
}

/** Calls back with a session with ClickHouse, embedded or configured, for commands that are about no run. */
export async function withClickHouseOnly<T>(
  values: Pick<StageValues, "home" | "logFormat" | "quiet">,
  stage: string,
  work: (db: ClickHouse) => Promise<T>,
): Promise<T> {
  await startLogging(values);
  const signal = stopSignal();
  const draw = shouldDrawProgress(values);
  const databases = await openDatabases(values.home, { clickhouse: true }, readDatabaseUrls(), signal, draw);
  try {
    return await withClickHouse({ url: databases.clickhouseUrl, stage, signal }, work);
  } finally {
    await databases.close();
  }
}

/** A run that the command works on. */
export class Session {
  /** Name of the run. */
  readonly runId: string;
  /** As-of date of the run. */
  readonly asOf: IsoDate;
  /** The store of the run. */
  readonly store: Store;
  /** Aborted when the command must stop, or the lock on the run is lost. */
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

  /** Opens a session, calls `work`, and closes the session even if it fails. */
  static async with(
    values: StageValues,
    needs: Needs,
    work: (session: Session) => Promise<void>,
  ): Promise<void> {
    await startLogging(values);
    const urls = readDatabaseUrls();
    const store = openSelectedStore(values);
    const stop = stopSignal("Completed work is kept: run the same command again to resume.");
    const run = await findRun(store, values, needs.newRun ?? false);
    const lock = needs.lock === null ? undefined : await acquireLock(store, run.runId, needs.lock);
    const signal = lock ? AbortSignal.any([stop, lock.lost]) : stop;
    try {
      const draw = shouldDrawProgress(values);
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

  /** Runs a stage: writes its record, shows its progress and logs its result. */
  async stage(name: StageName, work: (context: StageContext) => Promise<StageResult>): Promise<StageResult> {
    this.signal.throwIfAborted();
    const started = performance.now();
    const before = await readStage(this.store, this.runId, name);
    const record = await this.#recordStart(name, before);
    const progress = startProgress(name, this.#drawProgress);
    try {
      const result = await work(this.#context(progress));
      this.#lost?.throwIfAborted();
      progress.stop();
      const seconds = toSeconds(performance.now() - started);
      const { rowsIn, rowsOut, facts, unfinished } = result;
      // An unfinished stage is marked as done by the command that completes its dataset.
      if (!unfinished) {
        const done = { status: "done" as const, seconds, rows_in: rowsIn, rows_out: rowsOut, facts };
        await writeStage(this.store, this.runId, {
          ...record,
          ...done,
          finished_at: new Date().toISOString(),
        });
      }
      const rowsPerSecond = Math.round(Math.max(rowsIn, rowsOut) / Math.max(seconds, 0.001));
      logger(name).info(escapePlaceholders(describeResult(result, seconds, rowsPerSecond)), {
        run_id: this.runId,
        rows_in: rowsIn,
        rows_out: rowsOut,
        seconds,
        rows_per_second: rowsPerSecond,
      });
      return result;
    } catch (error) {
      progress.stop();
      const failure = error instanceof OtherRunError ? await this.#explainOtherRun(error, before) : error;
      // Another run took the place of this one after it was finished: its record stays.
      const kept = failure instanceof OtherRunError && before?.status === "done" ? before : undefined;
      await this.#recordFailure(record, failure, toSeconds(performance.now() - started), kept);
      throw failure;
    }
  }

  /** Calls `work` with the context of a stage, without running one. */
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

  /** Makes the error temporary if another command replaced the run before it was finished. */
  async #explainOtherRun(error: OtherRunError, before: StageRecord | undefined): Promise<SalesflowError> {
    const [load, report] = [await this.#readBefore("load", before), await this.#readBefore("report", before)];
    return isInProgress(load, report) ? error.asReplaced() : error;
  }

  /** Reads the record of a stage as it was before the current one. */
  async #readBefore(stage: StageName, before: StageRecord | undefined): Promise<StageRecord | undefined> {
    return before?.stage === stage ? before : await readStage(this.store, this.runId, stage);
  }

  async #recordStart(stage: StageName, before: StageRecord | undefined): Promise<StageRecord> {
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

  async #recordFailure(
    record: StageRecord,
    error: unknown,
    seconds: number,
    kept: StageRecord | undefined,
  ): Promise<void> {
    // The lock is lost: the records may belong to another command.
    if (this.#lost?.aborted) return;
    const remedy = error instanceof SalesflowError ? error.remedy ?? null : null;
    const failure = { message: messageChain(error).join(": "), remedy, exit_code: exitCodeOf(error) };
    try {
      const finished = { status: "failed" as const, seconds, finished_at: new Date().toISOString() };
      await writeStage(this.store, this.runId, kept ?? { ...record, ...finished, error: failure });
    } catch (second) {
      // The store itself may have failed; report the first error.
      logger(record.stage).warn("cannot record the failure: {message}", {
        message: messageChain(second).join(": "),
      });
    }
  }
}

function toSeconds(milliseconds: number): number {
  return Math.round(milliseconds) / 1000;
}

async function acquireLock(store: Store, runId: string, shard: string | undefined): Promise<Lock> {
  const lock = await lockRun(store, runId, shard);
  try {
    // Only the holder of the whole run may remove the partial files of killed commands.
    if (shard === undefined) await store.sweep(`runs/${runId}`);
  } catch (error) {
    await lock.release();
    throw error;
  }
  return lock;
}

/** Returns where a run's folder, or a file in it, is: a path for a folder, else a URL. */
export function runLocation({ store, runId }: Pick<Session, "store" | "runId">, ...names: string[]): string {
  const url = new URL(store.url);
  const path = ["runs", runId, ...names];
  return url.protocol === "file:"
    ? join(decodeURIComponent(url.pathname), ...path)
    : [store.url, ...path].join("/");
}
