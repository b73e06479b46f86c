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
const square = (number: number): Message => ({ kind: "task", task: { kind: "square", number } });

describe("serveTasks()", () => {
  it("reports the progress and the result of each task", async () => {
    const progress = [1, 2, 3].map((rows): Reply => ({ kind: "progress", rows }));
    const result = (number: number): Reply => ({ kind: "result", result: { number, offset: 1 } });
    const replies = await exchange([init(1), square(3), square(4)], 2);
    // Tasks that are sent at once may be interleaved; pools send one at a time.
    assertEquals(replies.filter(({ kind }) => kind === "result"), [result(9), result(16)]);
    assertEquals(replies.filter(({ kind }) => kind === "progress"), [...progress, ...progress]);
    assertEquals(replies.slice(0, 3), progress);
  });

  it("reports exit code and remedy of a failed task, then accepts the next one", async () => {
    const fail: Task = { kind: "fail", message: "broken", exitCode: 75, remedy: "again" };
    const replies = await exchange([
      init(1),
      { kind: "task", task: fail },
      { kind: "task", task: { kind: "move", bytes: 3 } },
    ], 2);
    assertEquals(replies[0], {
      kind: "error",
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
    const [reply] = await exchange([init(1), { kind: "task", task: { kind: "throw", value } }]);
    assert(reply?.kind === "error");
    assertEquals(reply.message, "outer: inner");
  });

  it("reports the error of createHandler() with the first task", async () => {
    const [reply] = await exchange([init(-1), square(1)]);
    assert(reply?.kind === "error");
    assertEquals(reply.message, "negative offset");
  });

  it("waits for what createHandler() waits for, and keeps the tasks that arrive meanwhile", async () => {
    const replies = await exchange([init(SLOW_OFFSET), square(2), square(3)], 2);
    const results = replies.flatMap((reply) => reply.kind === "result" ? [reply.result.number] : []);
    assertEquals(results, [4, 9]);
    const failed = await exchange([init(SLOW_OFFSET + 1), square(2), square(3)], 2);
    assertEquals(failed.map((reply) => reply.kind === "error" && reply.message), [
      "cannot start",
      "cannot start",
    ]);
  });

  it("reports an error when a task arrives before the data of the worker", async () => {
    const [reply] = await exchange([square(1)]);
    assert(reply?.kind === "error");
    assertEquals(reply.message, "the worker was not initialised");
  });

  it("relays log warnings", async () => {
    const text = "50 % of {what}";
    const replies = await exchange([init(1), { kind: "task", task: { kind: "warn", text } }]);
    assertEquals(replies[0], { kind: "warning", warning: { part: "test", text } });
  });
});
