import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { PoolMessage, WorkerMessage } from "../../../lib/workers/serve_tasks.ts";
import type { Result, Task } from "./test_worker.ts";

/** As in test_worker.ts, which no test can import. */
const SLOW_OFFSET = 100;

type Message = PoolMessage<{ offset: number }, Task>;
type Reply = WorkerMessage<Result>;

/** Sends messages to a worker; returns its replies up to the `count`th result or error. */
async function exchange(messages: readonly Message[], count = 1): Promise<Reply[]> {
  const worker = new Worker(new URL("./test_worker.ts", import.meta.url), { type: "module" });
  const replies: Reply[] = [];
  try {
    await new Promise<void>((resolve, reject) => {
      let finished = 0;
      worker.onmessage = ({ data }: MessageEvent<Reply>) => {
        replies.push(data);
        if ((data.kind === "result" || data.kind === "error") && ++finished === count) resolve();
      };
      worker.onerror = (event) => {
        event.preventDefault();
        reject(new Error(event.message));
      };
      for (const message of messages) worker.postMessage(message);
    });
  } finally {
    worker.terminate();
  }
  return replies;
}

const init = (offset: number): Message => ({ kind: "init", workerData: { offset } });

describe("serveTasks()", () => {
  it("reports the progress and the result of each task with its id", async () => {
    const square = (id: number, number: number): Message => ({
      kind: "task",
      id,
      task: { kind: "square", number },
    });
    const replies = await exchange([init(1), square(7, 3), square(8, 4)], 2);
    const repliesTo = (id: number, number: number): Reply[] => [
      ...[1, 2, 3].map((rows): Reply => ({ kind: "progress", id, rows })),
      { kind: "result", id, result: { number, offset: 1 } },
    ];
    for (const [id, number] of [[7, 9], [8, 16]] as const) {
      assertEquals(
        replies.filter((reply) => reply.kind !== "warning" && reply.id === id),
        repliesTo(id, number),
      );
    }
  });

  it("reports exit code and remedy of a failed task, then accepts the next one", async () => {
    const fail: Task = { kind: "fail", message: "broken", exitCode: 75, remedy: "again" };
    const replies = await exchange([
      init(1),
      { kind: "task", id: 0, task: fail },
      { kind: "task", id: 1, task: { kind: "move", bytes: 3 } },
    ], 2);
    assertEquals(replies[0], {
      kind: "error",
      id: 0,
      message: "broken",
      exitCode: 75,
      remedy: "again",
      stage: undefined,
    });
    const reply = replies[1];
    assert(reply?.kind === "result");
    assertEquals(reply.result.bytes, Uint8Array.of(7, 7, 7));
  });

  it("includes the causes of an error in its message", async () => {
    const value = new Error("outer", { cause: new Error("inner") });
    const [reply] = await exchange([init(1), { kind: "task", id: 0, task: { kind: "throw", value } }]);
    assert(reply?.kind === "error");
    assertEquals(reply.message, "outer: inner");
  });

  it("reports the error of createHandler() with the first task", async () => {
    const [reply] = await exchange([init(-1), { kind: "task", id: 4, task: { kind: "square", number: 1 } }]);
    assert(reply?.kind === "error");
    assertEquals([reply.id, reply.message], [4, "negative offset"]);
  });

  it("waits for what createHandler() waits for, and keeps the tasks that arrive meanwhile", async () => {
    const task = (id: number): Message => ({ kind: "task", id, task: { kind: "square", number: id } });
    const replies = await exchange([init(SLOW_OFFSET), task(2), task(3)], 2);
    const results = replies.flatMap((reply) =>
      reply.kind === "result" ? [[reply.id, reply.result.number]] : []
    );
    assertEquals(results, [[2, 4], [3, 9]]);
    const failed = await exchange([init(SLOW_OFFSET + 1), task(2), task(3)], 2);
    assertEquals(
      failed.map((reply) => reply.kind === "error" && [reply.id, reply.message]),
      [[2, "cannot start"], [3, "cannot start"]],
    );
  });

  it("reports an error when a task arrives before the data of the worker", async () => {
    const [reply] = await exchange([{ kind: "task", id: 0, task: { kind: "square", number: 1 } }]);
    assert(reply?.kind === "error");
    assertEquals(reply.message, "the worker was not initialised");
  });

  it("relays log warnings", async () => {
    const text = "50 % of {what}";
    const replies = await exchange([init(1), { kind: "task", id: 0, task: { kind: "warn", text } }]);
    assertEquals(replies[0], { kind: "warning", warning: { part: "test", text } });
  });
});
