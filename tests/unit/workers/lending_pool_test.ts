import { assert, assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { SalesflowError } from "../../../lib/console/errors.ts";
import { LendingPool, type LendingPoolOptions } from "../../../lib/workers/lending_pool.ts";
import { captureLog } from "../console/captured_log.ts";
import { closeAfter, startTestWorker, TEST_OPTIONS } from "./harness.ts";
import type { Result, Task } from "./test_worker.ts";

type TestPool = LendingPool<{ offset: number }, Task, Result>;

/** Calls `use` with a pool and closes it afterwards. */
function withPool(
  options: Partial<LendingPoolOptions<{ offset: number }>>,
  use: (pool: TestPool) => Promise<void>,
): Promise<void> {
  return closeAfter<TestPool>(new LendingPool({ ...TEST_OPTIONS, ...options }), use);
}

const square = (number: number): Task => ({ kind: "square", number });
/** A task that does not end. */
const ENDLESS: Task = { kind: "slow", number: 1, until: "/nowhere/at/all" };

describe("LendingPool", () => {
  it("lends a thread for several tasks", async () => {
    await withPool({}, async (pool) => {
      const thread = await pool.lend();
      assertEquals(await thread.run(square(3)), { number: 9, offset: 1 });
      assertEquals(await thread.run(square(4)), { number: 16, offset: 1 });
      thread.release();
    });
  });

  it("starts threads when they are needed, up to the maximum, and uses released ones first", async () => {
    let started = 0;
    const start = () => {
      started++;
      return startTestWorker();
    };
    await withPool({ start }, async (pool) => {
      assertEquals(started, 0);
      for (let round = 0; round < 3; round++) (await pool.lend()).release();
      assertEquals(started, 1);
      await pool.lend();
      await pool.lend();
      const third = pool.lend();
      third.catch(() => {});
      assertEquals(started, 2);
      pool.fail(new Error("end of the test"));
    });
  });

  it("lends to those who wait in the order in which they asked", async () => {
    await withPool({ threads: 1 }, async (pool) => {
      const order: number[] = [];
      const first = await pool.lend();
      const others = [1, 2, 3].map(async (number) => {
        const thread = await pool.lend();
        order.push(number);
        await thread.run(square(number));
        thread.release();
      });
      assertEquals(order, []);
      first.release();
      await Promise.all(others);
      assertEquals(order, [1, 2, 3]);
    });
  });

  it("moves buffers to a thread, and gets those of the result", async () => {
    await withPool({}, async (pool) => {
      const thread = await pool.lend();
      const bytes = new Uint8Array(1_000);
      await thread.run({ kind: "throw", value: bytes }, { transfer: [bytes.buffer] }).catch(() => {});
      assertEquals(bytes.length, 0);
      assertEquals((await thread.run({ kind: "move", bytes: 1_000 })).bytes?.length, 1_000);
    });
  });

  it("run() throws the error of the task with its exit code and remedy; the thread goes on", async () => {
    await withPool({}, async (pool) => {
      const thread = await pool.lend();
      const fail: Task = { kind: "fail", message: "broken", exitCode: 75, remedy: "again" };
      const error = await assertRejects(() => thread.run(fail), SalesflowError, "broken");
      assertEquals([error.exitCode, error.remedy], [75, "again"]);
      assertEquals((await thread.run(square(2))).number, 4);
    });
  });

  it("run() throws what createHandler() throws", async () => {
    await withPool({ workerData: { offset: -1 } }, async (pool) => {
      const thread = await pool.lend();
      await assertRejects(() => thread.run(square(2)), SalesflowError, "negative offset");
    });
  });

  it("logs the warnings of threads", async () => {
    const records = await captureLog(() =>
      withPool(
        {},
        async (pool) => void await (await pool.lend()).run({ kind: "warn", text: "50 % of {what}" }),
      )
    );
    assertEquals(records.map(({ message }) => message), ["50 % of {what}"]);
  });

  const reason = new SalesflowError("Stopped by SIGINT", { exitCode: 75 });
  const failures: [what: string, fail: (pool: TestPool, stop: AbortController) => void][] = [
    ["fail() is called", (pool) => pool.fail(reason)],
    ["the signal aborts", (_, stop) => stop.abort(reason)],
  ];
  for (const [what, fail] of failures) {
    it(`everybody who works or waits fails when ${what}, and everybody who comes later`, async () => {
      const stop = new AbortController();
      await withPool({ threads: 2, signal: stop.signal }, async (pool) => {
        const [busy, idle] = [await pool.lend(), await pool.lend()];
        const pending = [busy.run(ENDLESS), pool.lend(), pool.lend()];
        const errors = Promise.allSettled(pending);
        fail(pool, stop);
        pool.fail(new Error("a later error"));
        for (const settled of await errors) {
          assert(settled.status === "rejected" && settled.reason === reason);
        }
        const late = [() => idle.run(square(1)), () => pool.lend()];
        for (const call of late) assert(await call().then(() => undefined, (error) => error) === reason);
      });
    });
  }

  it("lends nothing when the signal has aborted", async () => {
    await withPool({ signal: AbortSignal.abort(reason) }, async (pool) => {
      await assertRejects(() => pool.lend(), SalesflowError, "Stopped by SIGINT");
    });
  });

  it("fails when a thread cannot be started", async () => {
    const start = () => new Worker("data:text/javascript,throw new Error('no room')", { type: "module" });
    await withPool({ start, threads: 1 }, async (pool) => {
      const thread = await pool.lend();
      const waiting = pool.lend();
      waiting.catch(() => {});
      await assertRejects(() => thread.run(square(1)), SalesflowError, "no room");
      await assertRejects(() => waiting, SalesflowError, "no room");
    });
  });

  it("close() no longer listens to the signal", async () => {
    const stop = new AbortController();
    let listeners = 0;
    const { addEventListener, removeEventListener } = stop.signal;
    Object.assign(stop.signal, {
      addEventListener: (...args: Parameters<typeof addEventListener>) => {
        listeners++;
        addEventListener.apply(stop.signal, args);
      },
      removeEventListener: (...args: Parameters<typeof removeEventListener>) => {
        listeners--;
        removeEventListener.apply(stop.signal, args);
      },
    });
    await withPool({ signal: stop.signal }, async (pool) => {
      await pool.lend();
      assertEquals(listeners, 1);
    });
    assertEquals(listeners, 0);
  });
});
