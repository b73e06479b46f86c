import { assert, assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { SalesflowError } from "../../../lib/console/errors.ts";
import { defaultThreads, Pool, type PoolOptions } from "../../../lib/workers/pool.ts";
import { closeAfter, startTestWorker, TEST_OPTIONS } from "./harness.ts";
import type { Result, Task } from "./test_worker.ts";

type TestPool = Pool<{ offset: number }, Task, Result>;

/** Calls `use` with a pool and closes it afterwards. */
function withPool(
  options: Partial<PoolOptions<{ offset: number }>>,
  use: (pool: TestPool) => Promise<void>,
): Promise<void> {
  return closeAfter<TestPool>(new Pool({ ...TEST_OPTIONS, ...options }), use);
}

const squares = (count: number): Task[] =>
  Array.from({ length: count }, (_, number) => ({ kind: "square", number }));

describe("Pool", () => {
  for (const threads of [1, 2, 5]) {
    it(`run() returns results in the order of the tasks with ${threads} threads`, async () => {
      await withPool({ threads }, async (pool) => {
        const delivered: number[] = [];
        const results = await pool.run(
          squares(20),
          ({ number }, index) => void delivered.push(index, number),
        );
        assertEquals(
          results.map(({ number }) => number),
          Array.from({ length: 20 }, (_, number) => number ** 2),
        );
        assertEquals(delivered, Array.from({ length: 20 }, (_, number) => [number, number ** 2]).flat());
      });
    });
  }

  it("run() delivers a result when all before it are there", async () => {
    const until = await Deno.makeTempDir();
    await Deno.remove(until);
    await withPool({}, async (pool) => {
      const delivered: number[] = [];
      const tasks: Task[] = [{ kind: "slow", number: 9, until }, ...squares(5)];
      const done = pool.run(tasks, (_, index) => void delivered.push(index));
      // The other worker runs the remaining tasks meanwhile.
      await Deno.mkdir(until);
      const results = await done;
      assertEquals(results.map(({ number }) => number), [81, 0, 1, 4, 9, 16]);
      assertEquals(delivered, [0, 1, 2, 3, 4, 5]);
    });
    await Deno.remove(until);
  });

  it("run() can be called again, and without tasks", async () => {
    await withPool({}, async (pool) => {
      assertEquals(await pool.run([]), []);
      assertEquals((await pool.run(squares(3))).length, 3);
      assertEquals((await pool.run(squares(4))).map(({ offset }) => offset), [1, 1, 1, 1]);
    });
  });

  it("run() starts as many workers as there are tasks, up to the maximum", async () => {
    let started = 0;
    const start = () => {
      started++;
      return startTestWorker();
    };
    await withPool({ start, threads: 3 }, async (pool) => {
      assertEquals(started, 0);
      for (const [tasks, threads] of [[0, 0], [1, 1], [2, 2], [1, 2], [9, 3]] as const) {
        await pool.run(squares(tasks));
        assertEquals(started, threads);
      }
    });
  });

  it("run() sums the progress of all workers", async () => {
    const delivered: number[] = [];
    await withPool({ onProgress: (rows) => void delivered.push(rows) }, async (pool) => {
      await pool.run(squares(4));
    });
    assertEquals(delivered.length, 12);
    assertEquals(delivered.at(-1), 12);
    assert(delivered.every((rows, index) => index === 0 || rows > delivered[index - 1]!));
  });

  it("run() transfers buffers of results", async () => {
    await withPool({}, async (pool) => {
      const [result] = await pool.run([{ kind: "move", bytes: 1_000 }]);
      assertEquals(result!.bytes!.length, 1_000);
      assertEquals(result!.bytes![999], 7);
    });
  });

  it("run() fails with the first error of a task, its exit code and remedy, and delivers nothing afterwards", async () => {
    await withPool({}, async (pool) => {
      const tasks: Task[] = [...squares(3), {
        kind: "fail",
        message: "broken",
        exitCode: 75,
        remedy: "again",
      }];
      let failed = false;
      const late: number[] = [];
      const error = await assertRejects(
        () => pool.run([...tasks, ...squares(50)], (_, index) => void (failed && late.push(index))),
        SalesflowError,
        "broken",
      );
      failed = true;
      assertEquals([error.exitCode, error.remedy], [75, "again"]);
      await new Promise((resolve) => setTimeout(resolve, 0));
      assertEquals(late, []);
    });
  });

  for (const [value, message] of [["a text", "a text"], [new TypeError("wrong"), "wrong"]] as const) {
    it(`run() fails with the message when a task throws ${value}`, async () => {
      await withPool({}, async (pool) => {
        const error = await assertRejects(
          () => pool.run([{ kind: "throw", value }]),
          SalesflowError,
          message,
        );
        assertEquals(error.exitCode, 1);
      });
    });
  }

  it("run() fails when a worker cannot be initialised", async () => {
    await withPool({ workerData: { offset: -1 } }, async (pool) => {
      await assertRejects(() => pool.run(squares(2)), SalesflowError, "negative offset");
    });
  });

  it("run() fails with the error that onResult() throws", async () => {
    await withPool({}, async (pool) => {
      const run = () =>
        pool.run(squares(5), (_, index) => {
          if (index === 2) throw new RangeError("no more");
        });
      await assertRejects(run, RangeError, "no more");
    });
  });

  it("run() fails with the signal's reason when it aborts before or during the run", async () => {
    const reason = new SalesflowError("Stopped by SIGINT", { exitCode: 75 });
    for (const when of ["before", "in the middle"]) {
      const stop = new AbortController();
      await withPool({ signal: stop.signal }, async (pool) => {
        if (when === "before") stop.abort(reason);
        const tasks: Task[] = [...squares(2), { kind: "slow", number: 1, until: "/nowhere/at/all" }];
        const run = () => pool.run(tasks, (_, index) => void (index === 1 && stop.abort(reason)));
        assertEquals(await assertRejects(run, SalesflowError, "Stopped by SIGINT"), reason);
      });
    }
  });
});

describe("defaultThreads()", () => {
  it("is at least one", () => assert(Number.isInteger(defaultThreads()) && defaultThreads() >= 1));
});
