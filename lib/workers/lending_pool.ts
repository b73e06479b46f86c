/** Worker threads that are lent one at a time, for work in several steps that must meet the state of the step before. */
import { SalesflowError } from "../console/errors.ts";
import { writeWarning } from "../console/log.ts";
import { type PoolOptions, toSalesflowError } from "./pool.ts";
import type { PoolMessage, WorkerMessage } from "./serve_tasks.ts";

/** A thread that belongs to its borrower until it is released. */
export interface LentWorker<Task, Result> {
  /**
   * Runs one task. One at a time.
   *
   * @param transfer buffers of the task to move instead of copying
   * @throws {SalesflowError} what the task throws
   */
  run(task: Task, transfer?: Transferable[]): Promise<Result>;
  /** Returns the thread to the pool. */
  release(): void;
}

/** Pool of threads that are lent in the order in which they are asked for. */
export class LendingPool<WorkerData, Task, Result> {
  readonly #options: PoolOptions<WorkerData>;
  readonly #threads: Thread<WorkerData, Task, Result>[] = [];
  readonly #idle: Thread<WorkerData, Task, Result>[] = [];
  readonly #waiting: PromiseWithResolvers<Thread<WorkerData, Task, Result>>[] = [];
  #failure: { reason: unknown } | undefined;

  /** Creates a pool; threads start when they are needed. */
  constructor(options: PoolOptions<WorkerData>) {
    this.#options = options;
    const { signal } = options;
    if (signal.aborted) this.fail(signal.reason);
    else signal.addEventListener("abort", this.#onAbort);
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
      run: (task, transfer) => thread.run(task, transfer),
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
  #running: PromiseWithResolvers<Result> | undefined;
  #failure: { reason: unknown } | undefined;

  constructor(worker: Worker, workerData: WorkerData, onFailure: (reason: unknown) => void) {
    this.#worker = worker;
    worker.onmessage = ({ data }: MessageEvent<WorkerMessage<Result>>) => {
      if (data.kind === "warning") return writeWarning(data.warning);
      if (data.kind === "progress") return;
      const running = this.#running;
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

  run(task: Task, transfer: Transferable[] = []): Promise<Result> {
    if (this.#failure) return Promise.reject(this.#failure.reason);
    this.#running = Promise.withResolvers<Result>();
    const message: PoolMessage<WorkerData, Task> = { kind: "task", id: 0, task };
    this.#worker.postMessage(message, transfer);
    return this.#running.promise;
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
