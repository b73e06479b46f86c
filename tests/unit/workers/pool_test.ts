import { assert, assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { SalesflowError } from "../../../lib/console/errors.ts";
import { defaultThreads, Pool, type PoolOptions } from "../../../lib/workers/pool.ts";
import type { Answer, Task } from "./test_worker.ts";

type TestPool = Pool<{ offset: number }, Task, Answer>;

/** Calls `work` with a pool that is closed afterwards. */
async function withPool(
  options: Partial<PoolOptions<{ offset: number }>>,
  work: (pool: TestPool) => Promise<void>,
): Promise<void> {
  const pool: TestPool = new Pool({
    start: () => new Worker(new URL("./test_worker.ts", import.meta.url), { type: "module" }),
    threads: 2,
    setUp: { offset: 1 },
    signal: new AbortController().signal,
    ...options,
  });
  try {
    await work(pool);
  } finally {
    pool.close();
  }
}

const squares = (count: number): Task[] =>
  Array.from({ length: count }, (_, number) => ({ kind: "square", number }));

describe("Pool", () => {
  for (const threads of [1, 2, 5]) {
    it(`run() gives answers in the order of the tasks, with ${threads} threads`, async () => {
      await withPool({ threads }, async (pool) => {
        const seen: number[] = [];
        const answers = await pool.run(squares(20), ({ number }, index) => void seen.push(index, number));
        assertEquals(
          answers.map(({ number }) => number),
          Array.from({ length: 20 }, (_, number) => number ** 2),
        );
        assertEquals(seen, Array.from({ length: 20 }, (_, number) => [number, number ** 2]).flat());
      });
    });
  }

  it("run() hands an answer on when all before it are there", async () => {
    const until = await Deno.makeTempDir();
    await Deno.remove(until);
    await withPool({}, async (pool) => {
      const seen: number[] = [];
      const tasks: Task[] = [{ kind: "slow", number: 9, until }, ...squares(5)];
      const done = pool.run(tasks, (_, index) => void seen.push(index));
      // The other thread does the rest meanwhile; then the first one may go on.
      await Deno.mkdir(until);
      const answers = await done;
      assertEquals(answers.map(({ number }) => number), [81, 0, 1, 4, 9, 16]);
      assertEquals(seen, [0, 1, 2, 3, 4, 5]);
    });
    await Deno.remove(until);
  });

  it("run() can be called again, and with no tasks at all", async () => {
    await withPool({}, async (pool) => {
      assertEquals(await pool.run([]), []);
      assertEquals((await pool.run(squares(3))).length, 3);
      assertEquals((await pool.run(squares(4))).map(({ offset }) => offset), [1, 1, 1, 1]);
    });
  });

  it("run() starts no more threads than there are tasks, and more when there are more", async () => {
    let started = 0;
    const start = () => {
      started++;
      return new Worker(new URL("./test_worker.ts", import.meta.url), { type: "module" });
    };
    await withPool({ start, threads: 3 }, async (pool) => {
      assertEquals(started, 0);
      for (const [tasks, threads] of [[0, 0], [1, 1], [2, 2], [1, 2], [9, 3]] as const) {
        await pool.run(squares(tasks));
        assertEquals(started, threads);
      }
    });
  });

  it("run() adds up the progress of all threads", async () => {
    const seen: number[] = [];
    await withPool({ onProgress: (rows) => void seen.push(rows) }, async (pool) => {
      await pool.run(squares(4));
    });
    assertEquals(seen.length, 12);
    assertEquals(seen.at(-1), 12);
    assert(seen.every((rows, index) => index === 0 || rows > seen[index - 1]!));
  });

  it("run() moves buffers of answers", async () => {
    await withPool({}, async (pool) => {
      const [answer] = await pool.run([{ kind: "move", bytes: 1_000 }]);
      assertEquals(answer!.bytes!.length, 1_000);
      assertEquals(answer!.bytes![999], 7);
    });
  });

  it("run() fails with the first error of a task, its exit code and remedy, and hands on nothing afterwards", async () => {
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

  for (const [value, message] of [["a text", "a text"], [new TypeError("odd"), "odd"]] as const) {
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

  it("run() fails when a thread cannot be set up", async () => {
    await withPool({ setUp: { offset: -1 } }, async (pool) => {
      await assertRejects(() => pool.run(squares(2)), SalesflowError, "a negative offset");
    });
  });

  it("run() fails with what onAnswer() throws", async () => {
    await withPool({}, async (pool) => {
      const run = () =>
        pool.run(squares(5), (_, index) => {
          if (index === 2) throw new RangeError("no more");
        });
      await assertRejects(run, RangeError, "no more");
    });
  });

  it("run() fails with the signal's reason, before it starts or in the middle", async () => {
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
