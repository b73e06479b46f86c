import { assert, assertEquals, assertRejects } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { ClickHouseFailure } from "../../../lib/clickhouse/errors.ts";
import { type ClickHouse, withClickHouse } from "../../../lib/clickhouse/session.ts";
import { SalesflowError } from "../../../lib/console/errors.ts";
import { SHORT_LIMITS, Testbed } from "../tables/harness.ts";

async function* asyncRows(...rows: (string | null)[][]): AsyncGenerator<(string | null)[]> {
  for (const row of rows) yield await Promise.resolve(row);
}

describe("ClickHouse", () => {
  let testbed: Testbed;
  beforeAll(async () => {
    testbed = await Testbed.open(["clickhouse"]);
    await testbed.clickhouse(
      "CREATE TABLE numbers (n UInt64, money Nullable(Decimal(18, 2))) ENGINE = MergeTree ORDER BY n",
    );
  });
  afterAll(() => testbed.close());

  function connect<T>(
    work: (db: ClickHouse) => Promise<T>,
    signal = new AbortController().signal,
  ): Promise<T> {
    return withClickHouse({ url: testbed.clickhouseUrl, stage: "test", signal, limits: SHORT_LIMITS }, work);
  }

  it("rows() returns values as exact text, with bound parameters", async () => {
    const rows = await connect((db) =>
      db.rows("SELECT toUInt64(18446744073709551615), toDecimal64({money:String}, 2), {name:String}", {
        money: "1.5",
        name: "a'b",
      })
    );
    assertEquals(rows, [["18446744073709551615", "1.50", "a'b"]]);
  });

  it("read() returns the response in the default format, or in that of the statement", async () => {
    await connect(async (db) => {
      const read = async (query: string) => {
        const { body, format } = await db.read(query, "CSVWithNames");
        return [new TextDecoder().decode(body), format];
      };
      assertEquals(await read("SELECT 1 AS a, toDecimal64(2, 2) AS b"), [
        '"a","b"\n1,2.00\n',
        "CSVWithNames",
      ]);
      assertEquals(await read("SELECT 1 AS a FORMAT TSV"), ["1\n", "TSV"]);
      assertEquals(await read("SELECT 1 AS a WHERE false FORMAT TSV"), ["", "TSV"]);
      assertEquals(await read("CREATE DATABASE IF NOT EXISTS default"), ["", undefined]);
    });
  });

  it("stream() yields all rows in batches", async () => {
    const batches = await connect((db) => Array.fromAsync(db.stream("SELECT number FROM numbers(100000)")));
    assert(batches.length > 1);
    assertEquals(batches.flat().map(([n]) => Number(n)), Array.from({ length: 100_000 }, (_, i) => i));
  });

  it("insert() stores rows of text, nulls included, in the named columns", async () => {
    await connect(async (db) => {
      await db.insert("numbers", ["money", "n"], asyncRows(["9999999999999999.99", "1"], [null, "2"]));
      assertEquals(await db.rows("SELECT n, ifNull(toString(money), 'none') FROM numbers ORDER BY n"), [
        ["1", "9999999999999999.99"],
        ["2", "none"],
      ]);
      await db.command("TRUNCATE TABLE numbers");
      assertEquals(await db.rows("SELECT count() FROM numbers"), [["0"]]);
    });
  });

  it("insert() throws the error of its rows", async () => {
    async function* failing() {
      yield* asyncRows(["1", "1"]);
      throw new TypeError("broken source");
    }
    await assertRejects(
      () => connect((db) => db.insert("numbers", ["n", "money"], failing())),
      TypeError,
      "broken source",
    );
  });

  it("command(), rows(), stream() and insert() throw a ClickHouseFailure with ClickHouse's code", async () => {
    await connect(async (db) => {
      const calls = [
        () => db.command("DROP TABLE nowhere"),
        () => db.rows("SELECT * FROM nowhere"),
        () => Array.fromAsync(db.stream("SELECT * FROM nowhere")),
        () => db.insert("nowhere", ["n"], asyncRows(["1"])),
      ];
      for (const call of calls) {
        const failure = await assertRejects(call, ClickHouseFailure, "nowhere");
        assertEquals([failure.code, failure.transient], ["60", false]);
      }
    });
  });

  it("withClickHouse() repeats the work after transient failures only, and throws with a remedy", async () => {
    const attempts = async (work: () => Promise<unknown>) => {
      let count = 0;
      const error = await assertRejects(
        () =>
          connect(async () => {
            count++;
            await work();
          }),
        SalesflowError,
      );
      assert(error.remedy);
      return [count, error.exitCode];
    };
    const reset = () => Promise.reject(new ClickHouseFailure(new Error("socket hang up")));
    assertEquals(await attempts(reset), [1 + SHORT_LIMITS.retries, 75]);
    assertEquals(await attempts(() => connect((db) => db.rows("SELECT nonsense"))), [1, 1]);
  });

  it("withClickHouse() throws the signal's reason when it is aborted", async () => {
    const stop = new AbortController();
    const working = connect(async (db) => {
      setTimeout(() => stop.abort(new SalesflowError("stopped")), 0);
      await db.rows("SELECT sleepEachRow(1) FROM numbers(3) SETTINGS max_block_size = 1");
    }, stop.signal);
    await assertRejects(() => working, SalesflowError, "stopped");
  });
});
