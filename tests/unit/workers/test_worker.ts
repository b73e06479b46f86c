/** A worker that does what its tasks say. */
import { SalesflowError } from "../../../lib/console/errors.ts";
import { answerTasks } from "../../../lib/workers/answer.ts";

export type Task =
  | { kind: "square"; number: number }
  | { kind: "slow"; number: number; until: string }
  | { kind: "fail"; message: string; exitCode?: 1 | 2 | 75; remedy?: string }
  | { kind: "throw"; value: unknown }
  | { kind: "move"; bytes: number };

export interface Answer {
  number: number;
  offset: number;
  bytes?: Uint8Array<ArrayBuffer>;
}

answerTasks<{ offset: number }, Task, Answer>(({ offset }) => {
  if (offset < 0) throw new Error("a negative offset");
  return async (task, progress) => {
    if (task.kind === "fail") {
      const { message, exitCode = 1, remedy } = task;
      throw new SalesflowError(message, { exitCode, ...(remedy ? { remedy } : {}) });
    }
    if (task.kind === "throw") throw task.value;
    if (task.kind === "move") return { number: 0, offset, bytes: new Uint8Array(task.bytes).fill(7) };
    if (task.kind === "slow") {
      // Until the test lets it go on.
      while (!await Deno.stat(task.until).then(() => true, () => false)) {
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    }
    for (let rows = 1; rows <= 3; rows++) progress(rows);
    return { number: task.number ** 2, offset };
  };
}, ({ bytes }) => bytes ? [bytes.buffer] : []);
