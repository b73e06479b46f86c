/** Worker threads that are lent one at a time, for work in several steps that must meet the state of the step before. */
import { type ErrorDetails, SalesflowError } from "../console/errors.ts";
import { writeWarning } from "../console/log.ts";
import type { PoolMessage, WorkerMessage } from "./serve_tasks.ts";

/** Options of a {@linkcode LendingPool}. */
export interface LendingPoolOptions<WorkerData> {
  /** Starts a worker. A callback, because compilers need the literal `new Worker(new URL(…), …)` next to the worker's file. */
  start: () => Worker;
  /** Maximum number of threads, at least 1. */
  threads: number;
  /** Data that each worker gets once, at its start. */
  workerData: WorkerData;
  /** Its abort makes everybody fail who works with a thread or waits for one. */
  signal: AbortSignal;
}

/** What accompanies a task. */
export interface RunOptions {
  /** Buffers of the task to move instead of copying. */
  transfer?: Transferable[];
  /** Called with the number of the task's rows that are processed so far. */
  onProgress?: (rows: number) => void;
}

/** A thread that belongs to its borrower until it is released. */
export interface LentWorker<Task, Result> {
  /**
   * Runs one task. One at a time.
   *
   * @throws {SalesflowError} what the task throws
   */
  run(task: Task, options?: RunOptions): Promise<Result>;
  /** Returns the thread to the pool. */
  release(): void;
}

/** Pool of threads that are lent in the order in which they are asked for. */
export class LendingPool<WorkerData, Task, Result> {
  readonly #options: LendingPoolOptions<WorkerData>;
  readonly #threads: Thread<WorkerData, Task, Result>[] = [];
  readonly #idle: Thread<WorkerData, Task, Result>[] = [];
  readonly #waiting: PromiseWithResolvers<Thread<WorkerData, Task, Result>>[] = [];
  #failure: { reason: unknown } | undefined;

  /** Creates a pool; threads start when they are needed. */
  constructor(options: LendingPoolOptions<WorkerData>) {
    this.#options = options;
    const { signal } = options;
    if (signal.aborted) this.fail(signal.reason);
    else signal.addEventListener("abort", this.#onAbort);
  }

  /** Maximum number of threads. */
  get threads(): number {
    return this.#options.threads;
  }

  /**
   * Lends a thread as soon as one is free.
   *
   * @throws what made the pool fail: the signal's reason, or the error of a thread
   */
  async lend(): Promise<LentWorker<Task, Result>> {
    if (this.#failure) throw this.#failure.reason;
    const thread = this.#idle.pop() ?? this.#start() ?? await this.#wait();
    return {
      run: (task, options) => thread.run(task, options),
      release: () => {
        const next = this.#waiting.shift();
        if (next) next.resolve(thread);
        else this.#idle.push(thread);
      },
    };
  }

  /** Terminates the threads. */
  close(): void {
    this.#options.signal.removeEventListener("abort", this.#onAbort);
    for (const thread of this.#threads) thread.terminate();
  }

  readonly #onAbort = () => this.fail(this.#options.signal.reason);

  #start(): Thread<WorkerData, Task, Result> | undefined {
    const { start, threads, workerData } = this.#options;
    if (this.#threads.length >= threads) return undefined;
    const thread = new Thread<WorkerData, Task, Result>(start(), workerData, (reason) => this.fail(reason));
    this.#threads.push(thread);
    return thread;
  }

  #wait(): Promise<Thread<WorkerData, Task, Result>> {
    const waiting = Promise.withResolvers<Thread<WorkerData, Task, Result>>();
    this.#waiting.push(waiting);
    return waiting.promise;
  }

  /** Makes everybody who works with a thread, or waits for one, fail with an error; the first error stays. */
  fail(reason: unknown): void {
    this.#failure ??= { reason };
    for (const thread of this.#threads) thread.fail(reason);
    for (const waiting of this.#waiting.splice(0)) waiting.reject(reason);
  }
}

class Thread<WorkerData, Task, Result> {
  readonly #worker: Worker;
  #running: (PromiseWithResolvers<Result> & Pick<RunOptions, "onProgress">) | undefined;
  #failure: { reason: unknown } | undefined;

  constructor(worker: Worker, workerData: WorkerData, onFailure: (reason: unknown) => void) {
    this.#worker = worker;
    worker.onmessage = ({ data }: MessageEvent<WorkerMessage<Result>>) => {
      if (data.kind === "warning") return writeWarning(data.warning);
      // Nothing runs when messages arrive that were sent before fail().
      const running = this.#running;
      if (data.kind === "progress") return running?.onProgress?.(data.rows);
      this.#running = undefined;
      if (data.kind === "error") running?.reject(toSalesflowError(data));
      else running?.resolve(data.result);
    };
    worker.onerror = (event) => {
      event.preventDefault();
      onFailure(new SalesflowError(`A worker thread failed: ${event.message}`));
    };
    worker.postMessage({ kind: "init", workerData } satisfies PoolMessage<WorkerData, Task>);
  }

  run(task: Task, { transfer = [], onProgress }: RunOptions = {}): Promise<Result> {
    if (this.#failure) return Promise.reject(this.#failure.reason);
    const running = Promise.withResolvers<Result>();
    this.#running = onProgress ? { ...running, onProgress } : running;
    this.#worker.postMessage({ kind: "task", task } satisfies PoolMessage<WorkerData, Task>, transfer);
    return running.promise;
  }

  fail(reason: unknown): void {
    this.#failure ??= { reason };
    this.#running?.reject(reason);
    this.#running = undefined;
  }

  terminate(): void {
    this.#worker.terminate();
  }
}

/** Restores an error from its message between threads. */
function toSalesflowError(
  { message, exitCode, remedy, stage }: Extract<WorkerMessage<never>, { kind: "error" }>,
): SalesflowError {
  const details: ErrorDetails = {};
  if (exitCode === 1 || exitCode === 2 || exitCode === 75) details.exitCode = exitCode;
  if (remedy !== undefined) details.remedy = remedy;
  if (stage !== undefined) details.stage = stage;
  return new SalesflowError(message, details);
}
