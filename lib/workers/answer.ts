/** A worker's side of lib/workers/pool.ts. */

import { messageChain } from "../console/errors.ts";
import { relayWarnings, type Warning } from "../console/log.ts";

/** Messages from the pool to a worker. */
export type ToWorker<SetUp, Task> = { kind: "setUp"; setUp: SetUp } | {
  kind: "task";
  id: number;
  task: Task;
};

/** Messages from a worker to the pool. */
export type FromWorker<Answer> =
  | { kind: "progress"; id: number; rows: number }
  | { kind: "answer"; id: number; answer: Answer }
  | { kind: "warning"; warning: Warning }
  | {
    kind: "error";
    id: number;
    message: string;
    exitCode: number | undefined;
    remedy: string | undefined;
    stage: string | undefined;
  };

/** Does one task; `progress` reports rows done in it so far. */
export type Work<Task, Answer> = (task: Task, progress: (rows: number) => void) => Promise<Answer>;

// deno-lint-ignore no-explicit-any -- the library "dom" has no type for the worker's own scope
const scope = self as any;

/**
 * Serves tasks, one at a time, until the pool ends the worker.
 *
 * @param prepare makes the function that does the work, from what the pool says once
 * @param transfer buffers of an answer that move instead of being copied
 */
export function answerTasks<SetUp, Task, Answer>(
  prepare: (setUp: SetUp) => Work<Task, Answer>,
  transfer: (answer: Answer) => Transferable[] = () => [],
): void {
  let work: Work<Task, Answer> = () => Promise.reject(new Error("the thread was not set up"));
  const post = (message: FromWorker<Answer>, buffers: Transferable[] = []) =>
    scope.postMessage(message, buffers);
  scope.onmessage = async ({ data }: MessageEvent<ToWorker<SetUp, Task>>) => {
    if (data.kind === "setUp") {
      relayWarnings((warning) => post({ kind: "warning", warning }));
      try {
        work = prepare(data.setUp);
      } catch (error) {
        // Answered to the first task: the next message may come before an uncaught error is reported.
        work = () => Promise.reject(error);
      }
      return;
    }
    const { id, task } = data;
    try {
      const answer = await work(task, (rows) => post({ kind: "progress", id, rows }));
      post({ kind: "answer", id, answer }, transfer(answer));
    } catch (error) {
      // Errors lose their class and their causes on the way between threads.
      const { exitCode, remedy, stage } = error as { exitCode?: number; remedy?: string; stage?: string };
      post({ kind: "error", id, message: messageChain(error).join(": "), exitCode, remedy, stage });
    }
  };
}
