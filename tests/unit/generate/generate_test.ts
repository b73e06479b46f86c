import { assert, assertEquals, assertRejects } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { clean } from "../../../lib/clean/clean.ts";
import { SalesflowError } from "../../../lib/console/errors.ts";
import { generate, type GenerateOptions } from "../../../lib/generate/generate.ts";
import { fromCents, toCents } from "../../../lib/domain/money.ts";
import { readRun } from "../../../lib/pipeline/records.ts";
import { REASONS } from "../../../lib/domain/sale.ts";
import { openDataset, partName, readManifest } from "../../../lib/dataset/dataset.ts";
import {
  AS_OF,
  makeContext,
  makeTestStore,
  readFile,
  readRows,
  RUN_ID,
  sha256,
  type TestStore,
} from "../store/harness.ts";

const OPTIONS: GenerateOptions = {
  rows: 5_000,
  seed: 42,
  defectRate: 0.02,
  products: 50,
  customers: 300,
  partitions: 1,
  workers: 1,
};
const FOLDER = `runs/${RUN_ID}/raw`;

let place: TestStore;
beforeAll(async () => {
  place = await makeTestStore();
});
afterAll(() => place.remove());

/** Generates, and returns everything that must not depend on partitions, workers and shards. */
async function generateRaw(more: Partial<GenerateOptions> = {}, asOf = AS_OF) {
  await generate(makeContext(place.store, { asOf }), { ...OPTIONS, ...more });
  return await readPublished();
}

async function readPublished() {
  const { store } = place;
  const { facts, rows } = await openDataset(store, RUN_ID, "raw");
  return {
    rows,
    facts,
    lines: sha256((await readRows(store, "raw")).join("\n")),
    defects: await store.readText(`${FOLDER}/defects.json`),
    products: await store.readText(`${FOLDER}/products.csv`),
  };
}

describe("generate()", () => {
  it("generates the same bytes as earlier versions", async () => {
    // An intended change also changes every run that is generated again: announce it in the release notes.
    const { lines, products, defects } = await generateRaw();
    assertEquals(
      [lines, sha256(products!), sha256(defects!)].map((hash) => hash.slice(0, 16)),
      ["f4b39cceca596618", "c0ed87467ddf3c6d", "24754bc90a3f6840"],
    );
  });

  it("generates the same rows for any number of parts and threads", async () => {
    const expected = await generateRaw();
    for (const [partitions, workers] of [[1, 2], [2, 1], [3, 2], [7, 3], [16, 2]] as const) {
      assertEquals(
        await generateRaw({ partitions, workers }),
        expected,
        `${partitions} parts, ${workers} threads`,
      );
      const { parts } = await openDataset(place.store, RUN_ID, "raw");
      assertEquals(
        parts.map(({ name }) => name),
        Array.from({ length: partitions }, (_, at) => partName(at)),
      );
    }
  });

  it("generates other rows for another seed, as-of date, size or defect rate", async () => {
    const expected = await generateRaw();
    const others = [
      await generateRaw({ seed: 43 }),
      await generateRaw({ seed: 42 + 2 ** 32 }),
      await generateRaw({}, "2026-11-23"),
      await generateRaw({ customers: 400 }),
      await generateRaw({ products: 51 }),
      await generateRaw({ defectRate: 0.021 }),
    ];
    assertEquals(new Set([expected, ...others].map(({ lines }) => lines)).size, 1 + others.length);
  });

  it("writes parts without rows when there are more parts than sales", async () => {
    const { rows } = await generateRaw({ rows: 3, defectRate: 0, partitions: 8, workers: 2 });
    assertEquals(rows, 3);
    const { parts } = await openDataset(place.store, RUN_ID, "raw");
    assertEquals(parts.reduce((sum, part) => sum + part.rows, 0), 3);
    assertEquals(parts.length, 8);
  });

  it("writes all parameters to the run record", async () => {
    await generateRaw();
    assertEquals(await readRun(place.store, RUN_ID), {
      run_id: RUN_ID,
      as_of: AS_OF,
      source: "generated",
      parameters: { seed: 42, rows: 5_000, defect_rate: 0.02, products: 50, customers: 300 },
    });
  });

  it("removes all earlier files from the folder", async () => {
    await generateRaw({ partitions: 5 });
    await place.store.writeText(`${FOLDER}/part-00099.csv`, "old");
    await generateRaw({ partitions: 2 });
    assertEquals(await place.store.list(FOLDER), [
      "defects.json",
      "manifest.json",
      partName(0),
      partName(1),
      "products.csv",
    ]);
  });

  for (
    const [seed, defectRate] of [[1, 0], [1, 0.5], [2, 0.02], [20261124, 0.02], [20261124, 0.5]] as const
  ) {
    it(`injects exactly what clean() finds, with seed ${seed} and a defect rate of ${defectRate}`, async () => {
      const generated = await generateRaw({ rows: 8_000, seed, defectRate, partitions: 3, workers: 2 });
      const defects = JSON.parse(generated.defects!);
      const { facts } = await clean(makeContext(place.store), {
        maxRejected: 1,
        checkDateRange: true,
        workers: 2,
      });
      assertEquals(facts.rows_in, defects.raw_rows);
      assertEquals(facts.rows_out, 8_000);
      assertEquals(facts.duplicates, defects.duplicates);
      assertEquals(facts.rejected, defects.rejected);
      assertEquals(facts.rejected_by_reason, defects.rejected_by_reason);
      assertEquals(Object.keys(defects.rejected_by_reason), [...REASONS]);
      const ids = new Set((await readRows(place.store, "clean")).map((row) => row.split(",")[0]));
      assertEquals(ids.size, 8_000);
      const rows = (await readRows(place.store, "clean")).map((row) => row.split(","));
      assertEquals(generated.facts.sums, {
        quantity: String(rows.reduce((sum, row) => sum + BigInt(row[3]!), 0n)),
        amount: fromCents(rows.reduce((sum, row) => sum + toCents(row[5]!), 0n)),
      });
      assertEquals(generated.facts.products_sha256, sha256(generated.products!));
    });
  }

  it("publishes nothing when the signal aborts", async () => {
    await generateRaw();
    const stop = new AbortController();
    const reason = new SalesflowError("Stopped", { exitCode: 75 });
    const context = makeContext(place.store, { signal: stop.signal, progress: () => stop.abort(reason) });
    const error = await assertRejects(
      () => generate(context, { ...OPTIONS, rows: 200_000, partitions: 2, workers: 2 }),
      SalesflowError,
      "Stopped",
    );
    assertEquals(error.exitCode, 75);
    assertEquals(await readManifest(place.store, RUN_ID, "raw"), undefined);
    const again = await generateRaw();
    assertEquals(again.rows > 5_000, true);
  });

  it("reports progress in sales, up to their number", async () => {
    const reported: [number, number | undefined][] = [];
    const progress = (rows: number, total?: number) => void reported.push([rows, total]);
    await generate(makeContext(place.store, { progress }), {
      ...OPTIONS,
      rows: 100_000,
      workers: 2,
      partitions: 2,
    });
    assert(reported.length > 0);
    assert(
      reported.every(([rows, total], index) =>
        rows <= 100_000 && total === 100_000 && rows >= (reported[index - 1]?.[0] ?? 0)
      ),
    );
  });
});

describe("generate() in shards", () => {
  const sharded = { partitions: 7, workers: 1 };
  const make = (number: number, of = 3, more: Partial<GenerateOptions> = {}) =>
    generate(makeContext(place.store), { ...OPTIONS, ...sharded, ...more, shard: { number, of } });

  it("publishes the same dataset as without shards when the last shard is done, in any order", async () => {
    const expected = await generateRaw(sharded);
    for (const order of [[1, 2, 3], [3, 1, 2], [2, 3, 1]]) {
      await place.store.remove(FOLDER);
      for (const number of order.slice(0, -1)) {
        assertEquals((await make(number)).unfinished, true);
        assertEquals(await readManifest(place.store, RUN_ID, "raw"), undefined, `after shard ${number}`);
      }
      assertEquals((await make(order.at(-1)!)).unfinished, undefined);
      assertEquals(await readPublished(), expected);
    }
  });

  it("publishes the same dataset when shards run concurrently", async () => {
    const expected = await generateRaw(sharded);
    await place.store.remove(FOLDER);
    await Promise.all([1, 2, 3].map((number) => make(number)));
    assertEquals(await readPublished(), expected);
  });

  it("withdraws the dataset while a shard runs again, and publishes the same bytes afterwards", async () => {
    const expected = await generateRaw(sharded);
    await place.store.remove(FOLDER);
    for (const number of [1, 2, 3]) await make(number);
    const stop = new AbortController();
    stop.abort(new SalesflowError("Stopped", { exitCode: 75 }));
    await assertRejects(
      () =>
        generate(makeContext(place.store, { signal: stop.signal }), {
          ...OPTIONS,
          ...sharded,
          shard: { number: 2, of: 3 },
        }),
      SalesflowError,
    );
    assertEquals(await readManifest(place.store, RUN_ID, "raw"), undefined);
    await make(2);
    assertEquals(await readPublished(), expected);
  });

  it("does not mix shards with different parameters", async () => {
    await place.store.remove(FOLDER);
    await make(1, 3, { seed: 1 });
    await make(2, 3, { seed: 1 });
    await make(3, 3, { seed: 2 });
    assertEquals(await readManifest(place.store, RUN_ID, "raw"), undefined);
    await make(1, 3, { seed: 2 });
    assertEquals(await readManifest(place.store, RUN_ID, "raw"), undefined);
    await make(2, 3, { seed: 2 });
    assertEquals((await openDataset(place.store, RUN_ID, "raw")).facts.seed, 2);
    assertEquals((await readPublished()).lines, (await generateRaw({ ...sharded, seed: 2 })).lines);
  });

  it("does not publish with a shard from another version", async () => {
    await place.store.remove(FOLDER);
    await make(1, 2);
    const path = `${FOLDER}/shard-1-of-2.json`;
    const { sums: _, ...older } = JSON.parse((await place.store.readText(path))!);
    await place.store.writeText(path, JSON.stringify(older));
    await make(2, 2);
    assertEquals(await readManifest(place.store, RUN_ID, "raw"), undefined);
    await make(1, 2);
    assertEquals(await readPublished(), await generateRaw(sharded));
  });

  it("fails when there are more shards than parts", async () => {
    const error = await assertRejects(() => make(3, 8), SalesflowError, "7 partitions into 8 shards");
    assertEquals(error.exitCode, 2);
  });

  it("lists parts in the manifest that match the stored files", async () => {
    await place.store.remove(FOLDER);
    for (const number of [3, 2, 1]) await make(number);
    for (const { name, bytes, sha256: hash } of (await openDataset(place.store, RUN_ID, "raw")).parts) {
      const content = await readFile(place.store, `${FOLDER}/${name}`);
      assertEquals([content.length, sha256(content)], [bytes, hash]);
    }
  });
});
