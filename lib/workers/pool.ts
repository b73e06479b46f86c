/** Worker thread pool that runs tasks in parallel and returns their results in the order of the tasks. */
import { type ErrorDetails, SalesflowError } from "../console/errors.ts";
import { writeWarning } from "../console/log.ts";
import type { PoolMessage, WorkerMessage } from "./serve_tasks.ts";

/** Options of a {@linkcode Pool}. */
export interface PoolOptions<WorkerData> {
  /** Starts a worker. A callback, because compilers need the literal `new Worker(new URL(…), …)` next to the worker's file. */
  start: () => Worker;
  /** Maximum number of threads, at least 1; no more are started than there are tasks. */
  threads: number;
  /** Data that each worker gets once, at its start. */
  workerData: WorkerData;
  /** Aborts the run and terminates the workers. */
  signal: AbortSignal;
  /** Called with the number of rows that all workers have processed so far. */
  onProgress?: (rows: number) => void;
}

/** Returns the default number of threads: one per processor. */
export function defaultThreads(): number {
  return Math.max(1, navigator.hardwareConcurrency);
}

/** Pool of worker threads, reusable for several runs. */
export class Pool<WorkerData, Task, Result> {
  readonly #workers: Worker[] = [];
  readonly #options: PoolOptions<WorkerData>;

  /** Creates a pool without workers; {@linkcode Pool.run} starts them. */
  constructor(options: PoolOptions<WorkerData>) {
    this.#options = options;
  }

  /** Starts the workers that are missing for this many tasks. */
  #startWorkers(tasks: number): void {
    const { start, threads, workerData } = this.#options;
    while (this.#workers.length < Math.min(threads, tasks)) {
      const worker = start();
      worker.postMessage({ kind: "init", workerData } satisfies PoolMessage<WorkerData, Task>);
      this.#workers.push(worker);
    }
  }

  /**
   * Runs all tasks and returns their results in order. `onResult` gets each result as soon as it and all before it are there.
   *
   * @throws {SalesflowError} the first error of a task; the pool cannot be used after that
   */
  run(
    tasks: readonly Task[],
    onResult: (result: Result, index: number) => void = () => {},
  ): Promise<Result[]> {
    const { signal, onProgress } = this.#options;
    const results: (Result | undefined)[] = new Array(tasks.length);
    const rows = new Float64Array(tasks.length);
    let next = 0;
    let completed = 0;
    let delivered = 0;
    let stopped = false;
    if (tasks.length === 0) return Promise.resolve([]);
    return new Promise((resolve, reject) => {
      const stop = (error: unknown) => {
        stopped = true;
        signal.removeEventListener("abort", onAbort);
        this.close();
        reject(error);
      };
      const onAbort = () => stop(signal.reason);
      if (signal.aborted) return stop(signal.reason);
      signal.addEventListener("abort", onAbort);
      this.#startWorkers(tasks.length);
      const assignNext = (worker: Worker) => {
        if (next >= tasks.length) return;
        const id = next++;
        worker.postMessage({ kind: "task", id, task: tasks[id]! } satisfies PoolMessage<WorkerData, Task>);
      };
      for (const worker of this.#workers) {
        worker.onmessage = ({ data }: MessageEvent<WorkerMessage<Result>>) => {
          // Messages sent before the worker was terminated may still arrive.
          if (stopped) return;
          if (data.kind === "progress") {
            rows[data.id] = data.rows;
            onProgress?.(rows.reduce((sum, count) => sum + count, 0));
          } else if (data.kind === "warning") {
            writeWarning(data.warning);
          } else if (data.kind === "error") {
            stop(toSalesflowError(data));
          } else {
            results[data.id] = data.result;
            completed++;
            assignNext(worker);
            try {
              for (; delivered < tasks.length && results[delivered] !== undefined; delivered++) {
                onResult(results[delivered]!, delivered);
              }
            } catch (error) {
              return stop(error);
            }
            if (completed === tasks.length) {
              signal.removeEventListener("abort", onAbort);
              resolve(results as Result[]);
            }
          }
        };
        worker.onerror = (event) => {
          event.preventDefault();
          stop(new SalesflowError(`A worker thread failed: ${event.message}`));
        };
        assignNext(worker);
      }
    });
  }

  /** Terminates the workers. */
  close(): void {
    for (const worker of this.#workers) worker.terminate();
  }
}

/** Restores an error from its message between threads. */
export function toSalesflowError(
  { message, exitCode, remedy, stage }: Extract<WorkerMessage<never>, { kind: "error" }>,
): SalesflowError {
  const details: ErrorDetails = {};
  if (exitCode === 1 || exitCode === 2 || exitCode === 75) details.exitCode = exitCode;
  if (remedy !== undefined) details.remedy = remedy;
  if (stage !== undefined) details.stage = stage;
  return new SalesflowError(message, details);
}
