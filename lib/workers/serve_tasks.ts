/** Worker side of lending_pool.ts. */
import { messageChain } from "../console/errors.ts";
import { relayWarnings, type Warning } from "../console/log.ts";

/** Messages from the pool to a worker. */
export type PoolMessage<WorkerData, Task> =
  | { kind: "init"; workerData: WorkerData }
  | { kind: "task"; task: Task };

/** Messages from a worker to the pool. */
export type WorkerMessage<Result> =
  | { kind: "progress"; rows: number }
  | { kind: "result"; result: Result }
  | { kind: "warning"; warning: Warning }
  | {
    kind: "error";
    message: string;
    exitCode: number | undefined;
    remedy: string | undefined;
    stage: string | undefined;
  };

/** Runs one task; `progress` reports the number of its rows that are processed so far. */
export type TaskHandler<Task, Result> = (task: Task, progress: (rows: number) => void) => Promise<Result>;

// deno-lint-ignore no-explicit-any -- lib "dom" has no type for the global scope of a worker
const scope = self as any;

/**
 * Runs the tasks that the pool sends, one at a time, until the pool terminates the worker.
 *
 * A worker's file must not await at its top level, not even in what it imports: messages that arrive meanwhile are lost. What
 * must be awaited, `createHandler` awaits, such as the import of a module.
 *
 * @param createHandler returns the task handler; called once, with the data from the pool
 * @param transfer returns the buffers of a result to transfer instead of copying
 */
export function serveTasks<WorkerData, Task, Result>(
  createHandler: (workerData: WorkerData) => TaskHandler<Task, Result> | Promise<TaskHandler<Task, Result>>,
  transfer: (result: Result) => Transferable[] = () => [],
): void {
  let handler: Promise<TaskHandler<Task, Result>> = Promise.reject(
    new Error("the worker was not initialised"),
  );
  handler.catch(() => {});
  const post = (message: WorkerMessage<Result>, buffers: Transferable[] = []) =>
    scope.postMessage(message, buffers);
  scope.onmessage = async ({ data }: MessageEvent<PoolMessage<WorkerData, Task>>) => {
    if (data.kind === "init") {
      relayWarnings((warning) => post({ kind: "warning", warning }));
      handler = (async () => await createHandler(data.workerData))();
      // Reported with the first task: its message may arrive before an uncaught error is reported.
      handler.catch(() => {});
      return;
    }
    try {
      const result = await (await handler)(data.task, (rows) => post({ kind: "progress", rows }));
      post({ kind: "result", result }, transfer(result));
    } catch (error) {
      // Errors lose their class and their causes in messages between threads.
      const { exitCode, remedy, stage } = error as { exitCode?: number; remedy?: string; stage?: string };
      post({ kind: "error", message: messageChain(error).join(": "), exitCode, remedy, stage });
    }
  };
}
