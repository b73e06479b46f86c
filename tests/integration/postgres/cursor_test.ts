import { assertEquals, assertRejects } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { readRows } from "../../../lib/postgres/cursor.ts";
import { PostgresFailure } from "../../../lib/postgres/errors.ts";
import { Testbed } from "../tables/harness.ts";

const NUMBERS = "SELECT n FROM generate_series(1, $1::integer) AS n";

describe("readRows()", () => {
  let testbed: Testbed;
  beforeAll(async () => {
    testbed = await Testbed.open(["postgres"]);
  });
  afterAll(() => testbed.close());

  for (
    const [rows, batches] of [[0, []], [1, [1]], [5_000, [5_000]], [12_001, [5_000, 5_000, 2_001]]] as const
  ) {
    it(`readRows() yields ${rows} rows in batches of [${batches}]`, async () => {
      await testbed.postgres((db) =>
        db.transaction(async () => {
          const sizes: number[] = [];
          let sum = 0;
          for await (const batch of readRows(db, NUMBERS, [rows])) {
            sizes.push(batch.length);
            for (const { n } of batch) sum += Number(n);
          }
          assertEquals(sizes, [...batches]);
          assertEquals(sum, rows * (rows + 1) / 2);
        })
      );
    });
  }

  it("readRows() closes its cursor when the caller stops early, so that another query can be read", async () => {
    await testbed.postgres((db) =>
      db.transaction(async () => {
        for (let i = 0; i < 2; i++) {
          for await (const batch of readRows(db, NUMBERS, [12_001])) {
            assertEquals(batch[0]!.n, "1");
            break;
          }
        }
      })
    );
  });

  it("readRows() throws a PostgresFailure when the query fails", async () => {
    await testbed.postgres((db) =>
      db.transaction(async () => {
        await assertRejects(() => readRows(db, "SELECT nonsense").next(), PostgresFailure, "nonsense");
      })
    );
  });
});
