import { assert, assertEquals, assertRejects } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { SalesflowError } from "../../../lib/console/errors.ts";
import { copyIn } from "../../../lib/postgres/copy.ts";
import { PostgresFailure } from "../../../lib/postgres/errors.ts";
import { type Postgres, withPostgres } from "../../../lib/postgres/session.ts";
import { SHORT_LIMITS, Testbed } from "../tables/harness.ts";

const COPY = "COPY pg_temp.numbers FROM STDIN (FORMAT csv)";

async function* bytesOf(...chunks: string[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield await Promise.resolve(new TextEncoder().encode(chunk));
}

describe("copyIn()", () => {
  let testbed: Testbed;
  beforeAll(async () => {
    testbed = await Testbed.open(["postgres"]);
  });
  afterAll(() => testbed.close());

  function withTable<T>(
    work: (db: Postgres) => Promise<T>,
    changes: { signal?: AbortSignal; stallTimeoutMs?: number } = {},
  ) {
    const { signal = new AbortController().signal, stallTimeoutMs = SHORT_LIMITS.stallTimeoutMs } = changes;
    return withPostgres(
      {
        url: testbed.postgresUrl,
        stage: "test",
        signal,
        limits: { ...SHORT_LIMITS, retries: 0, stallTimeoutMs },
      },
      async (db) => {
        await db.query("CREATE TEMPORARY TABLE numbers (n integer NOT NULL)");
        return await work(db);
      },
    );
  }

  it("copyIn() stores the rows of all chunks, and reports bytes and rows", async () => {
    await withTable(async (db) => {
      const reported: number[] = [];
      assertEquals(await copyIn(db, COPY, bytesOf("1\n2", "3\n", "4\n"), (bytes) => reported.push(bytes)), 3);
      assertEquals(reported, [3, 5, 7]);
      assertEquals((await db.one("SELECT array_agg(n) AS n FROM pg_temp.numbers")).n, "{1,23,4}");
    });
  });

  it("copyIn() throws the error of its source, and leaves the connection usable", async () => {
    await withTable(async (db) => {
      async function* failing() {
        yield* bytesOf("1\n");
        throw new TypeError("broken source");
      }
      await assertRejects(() => copyIn(db, COPY, failing()), TypeError, "broken source");
      assertEquals((await db.one("SELECT count(*) AS n FROM pg_temp.numbers")).n, "0");
    });
  });

  it("copyIn() throws a PostgresFailure when the server rejects a row", async () => {
    await withTable(async (db) => {
      const failure = await assertRejects(() => copyIn(db, COPY, bytesOf("1\nx\n")), PostgresFailure);
      assertEquals([failure.code, failure.transient], ["22P02", false]);
    });
  });

  it("copyIn() throws a transient PostgresFailure when its source stalls", async () => {
    await withTable(async (db) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      async function* stalling() {
        yield* bytesOf("1\n");
        await promise;
      }
      const failed = assertRejects(
        () => copyIn(db, COPY, stalling()),
        PostgresFailure,
        "no progress for 0.05 s",
      );
      // The stream closes its source only when the source answers.
      setTimeout(resolve, 200);
      assert((await failed).transient);
    }, { stallTimeoutMs: 50 });
  });

  it("copyIn() throws the signal's reason when it is aborted", async () => {
    const stop = new AbortController();
    async function* stopped() {
      yield* bytesOf("1\n");
      stop.abort(new SalesflowError("stopped"));
      yield* bytesOf("2\n");
    }
    await assertRejects(
      () => withTable((db) => copyIn(db, COPY, stopped()), { signal: stop.signal }),
      SalesflowError,
      "stopped",
    );
  });
});
