/** Worker for the tests of pool.ts, lending_pool.ts and serve_tasks.ts: each task states what to do. */
import { SalesflowError } from "../../../lib/console/errors.ts";
import { escapePlaceholders, logger } from "../../../lib/console/log.ts";
import { serveTasks } from "../../../lib/workers/serve_tasks.ts";

export type Task =
  | { kind: "square"; number: number }
  | { kind: "slow"; number: number; until: string }
  | { kind: "fail"; message: string; exitCode?: 1 | 2 | 75; remedy?: string }
  | { kind: "throw"; value: unknown }
  | { kind: "move"; bytes: number }
  | { kind: "warn"; text: string };

export interface Result {
  number: number;
  offset: number;
  bytes?: Uint8Array<ArrayBuffer>;
}

/** From this offset on, the worker takes a while to start. */
const SLOW_OFFSET = 100;

serveTasks<{ offset: number }, Task, Result>(({ offset }) => {
  if (offset < 0) throw new Error("negative offset");
  const handle = async (task: Task, progress: (rows: number) => void): Promise<Result> => {
    if (task.kind === "fail") {
      const { message, exitCode = 1, remedy } = task;
      throw new SalesflowError(message, { exitCode, ...(remedy ? { remedy } : {}) });
    }
    if (task.kind === "throw") throw task.value;
    if (task.kind === "warn") {
      logger("test").warn(escapePlaceholders(task.text));
      return { number: 0, offset };
    }
    if (task.kind === "move") return { number: 0, offset, bytes: new Uint8Array(task.bytes).fill(7) };
    if (task.kind === "slow") {
      // Waits until the test creates the path.
      while (!await Deno.stat(task.until).then(() => true, () => false)) {
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    }
    for (let rows = 1; rows <= 3; rows++) progress(rows);
    return { number: task.number ** 2, offset };
  };
  if (offset < SLOW_OFFSET) return handle;
  return (async () => {
    for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setTimeout(resolve, 0));
    if (offset > SLOW_OFFSET) throw new Error("cannot start");
    return handle;
  })();
}, ({ bytes }) => bytes ? [bytes.buffer] : []);
