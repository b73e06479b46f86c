import { assert, assertEquals } from "@std/assert";
import { afterAll, beforeEach, describe, it } from "@std/testing/bdd";
import { type Part, partName } from "../../../lib/dataset/dataset.ts";
import { zeroDefectCounts } from "../../../lib/generate/raw_line_writer.ts";
import {
  readShardRecords,
  type ShardParameters,
  type ShardRecord,
  shardRecordName,
  writeShardRecord,
} from "../../../lib/generate/shards.ts";
import { makeTestStore } from "../store/harness.ts";

const FOLDER = "runs/test/raw";
const PARAMETERS: ShardParameters = { parameters: { seed: 1, rows: 9 }, partitions: 3, as_of: "2026-11-24" };

const place = await makeTestStore();
const { store } = place;
afterAll(() => place.remove());
beforeEach(() => store.remove(FOLDER));

function makePart(index: number): Part {
  return { name: partName(index), rows: index + 1, bytes: 100 * index, sha256: `${index}`.repeat(64) };
}

/** A record of parts with these indexes. */
function makeRecord(indexes: readonly number[], more: Partial<ShardRecord> = {}): ShardRecord {
  const rows = indexes.length;
  return {
    ...PARAMETERS,
    parts: indexes.map(makePart),
    counts: { ...zeroDefectCounts(), rows, raw_rows: 2 * rows, duplicates: rows },
    sums: { quantity: BigInt(rows), cents: 2n ** 60n + BigInt(rows) },
    ...more,
  };
}

const read = (expected = PARAMETERS) => readShardRecords(store, FOLDER, 2, expected);
const write = (number: number, record: ShardRecord) =>
  writeShardRecord(store, FOLDER, { number, of: 2 }, record);

describe("readShardRecords()", () => {
  it("merges what writeShardRecord() wrote, with parts in order and exact sums", async () => {
    await write(2, makeRecord([1]));
    await write(1, makeRecord([0, 2]));
    assertEquals(await read(), {
      parts: [0, 1, 2].map(makePart),
      counts: { ...zeroDefectCounts(), rows: 3, raw_rows: 6, duplicates: 3 },
      sums: { quantity: 3n, cents: 2n ** 61n + 3n },
    });
  });

  it("returns undefined while a record is missing", async () => {
    assertEquals(await read(), undefined);
    await write(1, makeRecord([0, 2]));
    assertEquals(await read(), undefined);
  });

  const others: [what: string, more: Partial<ShardRecord>][] = [
    ["another seed", { parameters: { seed: 2, rows: 9 } }],
    ["another number of partitions", { partitions: 4 }],
    ["another as-of date", { as_of: "2026-11-23" }],
  ];
  for (const [what, more] of others) {
    it(`returns undefined when a record has ${what}`, async () => {
      await write(1, makeRecord([0, 2]));
      await write(2, makeRecord([1], more));
      assertEquals(await read(), undefined);
      await write(2, makeRecord([1]));
      assert(await read());
    });
  }

  it("returns undefined when a record was written by a version without sums", async () => {
    await write(1, makeRecord([0, 2]));
    const { sums: _, ...older } = makeRecord([1]);
    await write(2, older as ShardRecord);
    assertEquals(await read(), undefined);
  });
});

describe("shardRecordName()", () => {
  it("returns different names for different shards", async () => {
    assertEquals(shardRecordName({ number: 2, of: 3 }), "shard-2-of-3.json");
    await write(1, makeRecord([0]));
    await write(2, makeRecord([1]));
    assertEquals(await store.list(FOLDER), ["shard-1-of-2.json", "shard-2-of-2.json"]);
  });
});
