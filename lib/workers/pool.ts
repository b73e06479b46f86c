/** Worker threads that run tasks in parallel and return their results in the order of the tasks. */
import { LendingPool, type LendingPoolOptions } from "./lending_pool.ts";

/** Options of a {@linkcode Pool}: no more threads are started than there are tasks. */
export interface PoolOptions<WorkerData> extends LendingPoolOptions<WorkerData> {
  /** Called with the number of rows that all workers have processed so far. */
  onProgress?: (rows: number) => void;
}

/** Returns the default number of threads: one per processor. */
export function defaultThreads(): number {
  return Math.max(1, navigator.hardwareConcurrency);
}

/** Pool of worker threads, reusable for several runs. */
export class Pool<WorkerData, Task, Result> {
  readonly #options: PoolOptions<WorkerData>;
  readonly #threads: LendingPool<WorkerData, Task, Result>;

  /** Creates a pool without threads; {@linkcode Pool.run} starts them. */
  constructor(options: PoolOptions<WorkerData>) {
    this.#options = options;
    this.#threads = new LendingPool(options);
  }

  /**
   * Runs all tasks and returns their results in order. `onResult` gets each result as soon as it and all before it are there.
   *
   * @throws {SalesflowError} the first error of a task; the pool cannot be used after that
   */
  async run(
    tasks: readonly Task[],
    onResult: (result: Result, index: number) => void = () => {},
  ): Promise<Result[]> {
    const { threads, onProgress = () => {} } = this.#options;
    const results: Result[] = new Array(tasks.length);
    const rows = new Float64Array(tasks.length);
    let next = 0;
    let delivered = 0;
    const work = async () => {
      const worker = await this.#threads.lend();
      while (next < tasks.length) {
        const index = next++;
        results[index] = await worker.run(tasks[index]!, {
          onProgress: (count) => {
            rows[index] = count;
            onProgress(rows.reduce((sum, count) => sum + count, 0));
          },
        });
        for (; delivered < tasks.length && results[delivered] !== undefined; delivered++) {
          onResult(results[delivered]!, delivered);
        }
      }
      worker.release();
    };
    try {
      await Promise.all(Array.from({ length: Math.min(threads, tasks.length) }, work));
    } catch (error) {
      this.#threads.fail(error);
      this.close();
      throw error;
    }
    return results;
  }

  /** Terminates the threads. */
  close(): void {
    this.#threads.close();
  }
}
