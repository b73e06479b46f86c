/** Pools of test_worker.ts. */
import type { LendingPoolOptions } from "../../../lib/workers/lending_pool.ts";

/** Starts a worker of test_worker.ts. */
export function startTestWorker(): Worker {
  return new Worker(new URL("./test_worker.ts", import.meta.url), { type: "module" });
}

/** Options of a pool of two threads that nothing aborts. */
export const TEST_OPTIONS: LendingPoolOptions<{ offset: number }> = {
  start: startTestWorker,
  threads: 2,
  workerData: { offset: 1 },
  signal: new AbortController().signal,
};

/** Calls `use` with a pool and closes it afterwards. */
export async function closeAfter<P extends { close(): void }>(
  pool: P,
  use: (pool: P) => Promise<void>,
): Promise<void> {
  try {
    await use(pool);
  } finally {
    pool.close();
  }
}
