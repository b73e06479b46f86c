/** A few threads that do tasks side by side; answers come back in the order of the tasks. */
import { type ErrorDetails, SalesflowError } from "../console/errors.ts";
import { writeWarning } from "../console/log.ts";
import type { FromWorker, ToWorker } from "./answer.ts";

/** How a pool is run. */
export interface PoolOptions<SetUp> {
  /** Starts one thread; the literal `new Worker(new URL(…), …)` must stand at the caller's, where compilers find it. */
  start: () => Worker;
  /** Threads at most, at least 1; no more are started than there are tasks. */
  threads: number;
  /** Told to each thread once. */
  setUp: SetUp;
  /** Ends everything. */
  signal: AbortSignal;
  /** Rows done by all threads so far. */
  onProgress?: (rows: number) => void;
}

/** Number of threads to use unless the person says otherwise. */
export function defaultThreads(): number {
  return Math.max(1, navigator.hardwareConcurrency);
}

/** Threads that stay for several rounds of tasks. */
export class Pool<SetUp, Task, Answer> {
  readonly #workers: Worker[] = [];
  readonly #options: PoolOptions<SetUp>;

  constructor(options: PoolOptions<SetUp>) {
    this.#options = options;
  }

  /** Starts threads that so many tasks need and that do not run yet. */
  #startFor(tasks: number): void {
    const { start, threads, setUp } = this.#options;
    while (this.#workers.length < Math.min(threads, tasks)) {
      const worker = start();
      worker.postMessage({ kind: "setUp", setUp } satisfies ToWorker<SetUp, Task>);
      this.#workers.push(worker);
    }
  }

  /**
   * Does all tasks and returns their answers in order. `onAnswer` is called as soon as an answer and all before it are there.
   *
   * @throws {SalesflowError} the first error of a task; the pool is then unusable
   */
  run(
    tasks: readonly Task[],
    onAnswer: (answer: Answer, index: number) => void = () => {},
  ): Promise<Answer[]> {
    const { signal, onProgress } = this.#options;
    const answers: (Answer | undefined)[] = new Array(tasks.length);
    const rows = new Float64Array(tasks.length);
    let next = 0;
    let settled = 0;
    let given = 0;
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
      this.#startFor(tasks.length);
      const give = (worker: Worker) => {
        if (next >= tasks.length) return;
        const id = next++;
        worker.postMessage({ kind: "task", id, task: tasks[id]! } satisfies ToWorker<SetUp, Task>);
      };
      for (const worker of this.#workers) {
        worker.onmessage = ({ data }: MessageEvent<FromWorker<Answer>>) => {
          // Threads that were ended may have sent something before.
          if (stopped) return;
          if (data.kind === "progress") {
            rows[data.id] = data.rows;
            onProgress?.(rows.reduce((sum, count) => sum + count, 0));
          } else if (data.kind === "warning") {
            writeWarning(data.warning);
          } else if (data.kind === "error") {
            stop(revive(data));
          } else {
            answers[data.id] = data.answer;
            settled++;
            give(worker);
            try {
              for (; given < tasks.length && answers[given] !== undefined; given++) {
                onAnswer(answers[given]!, given);
              }
            } catch (error) {
              return stop(error);
            }
            if (settled === tasks.length) {
              signal.removeEventListener("abort", onAbort);
              resolve(answers as Answer[]);
            }
          }
        };
        worker.onerror = (event) => {
          event.preventDefault();
          stop(new SalesflowError(`A worker thread failed: ${event.message}`));
        };
        give(worker);
      }
    });
  }

  /** Ends the threads. */
  close(): void {
    for (const worker of this.#workers) worker.terminate();
  }
}

function revive(
  { message, exitCode, remedy, stage }: Extract<FromWorker<never>, { kind: "error" }>,
): SalesflowError {
  const details: ErrorDetails = {};
  if (exitCode === 1 || exitCode === 2 || exitCode === 75) details.exitCode = exitCode;
  if (remedy !== undefined) details.remedy = remedy;
  if (stage !== undefined) details.stage = stage;
  return new SalesflowError(message, details);
}
