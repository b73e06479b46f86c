import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { afterAll, beforeEach, describe, it } from "@std/testing/bdd";
import { clean, type CleanOptions } from "../../../lib/clean/clean.ts";
import { SalesflowError } from "../../../lib/console/errors.ts";
import { findInputs } from "../../../lib/ingest/inputs.ts";
import { ingest } from "../../../lib/ingest/ingest.ts";
import { sourceOfMap } from "../../../lib/ingest/source/column_copier.ts";
import { SALE_HEADER } from "../../../lib/domain/sale.ts";
import { openDataset, readManifest } from "../../../lib/dataset/dataset.ts";
import {
  joinBytes,
  makeContext,
  makeTestStore,
  readFile,
  readRows,
  RUN_ID,
  writeRawDataset,
} from "../store/harness.ts";
import { cleanAndCheck, OPTIONS, sale } from "./harness.ts";

const { folder, store, remove } = await makeTestStore();
afterAll(remove);
beforeEach(() => store.remove(`runs/${RUN_ID}`));
const cleaned = (bodies: (string | Uint8Array)[], more: Partial<CleanOptions> = {}) =>
  cleanAndCheck(store, bodies, more);

describe("clean()", () => {
  it("keeps canonical rows, converts others, and rejects the rest with file, line and reason", async () => {
    const { rows, rejected, facts } = await cleaned([
      [sale(1), "", sale(2, { region: "юг" }), "no,sale", sale(3), ""].join("\r\n"),
      [sale(1), sale(2, { region: "South", quantity: "2" }), sale(4, { date: "2025-11-24" }), sale(5)].join(
        "\n",
      ),
    ]);
    assertEquals(rows, [sale(1), sale(2, { region: "South" }), sale(3), sale(5)]);
    assertEquals(rejected, [
      'part-00000.csv,5,malformed_row,"no,sale"',
      `part-00001.csv,3,conflicting_duplicate,"${sale(2, { region: "South", quantity: "2" })}"`,
      `part-00001.csv,4,date_out_of_range,"${sale(4, { date: "2025-11-24" })}"`,
    ]);
    assertEquals([facts.rows_in, facts.duplicates], [8, 1]);
  });

  it("records the fingerprints of its input and the accepted dates in the manifests", async () => {
    const raw = await writeRawDataset(store, [sale(1)]);
    await clean(makeContext(store), OPTIONS);
    const [clean1, rejected] = [
      await openDataset(store, RUN_ID, "clean"),
      await openDataset(store, RUN_ID, "rejected"),
    ];
    const { facts } = clean1;
    assertEquals([facts.raw, facts.rejects, rejected.facts.raw], [
      raw.fingerprint,
      rejected.fingerprint,
      raw.fingerprint,
    ]);
    assertEquals([facts.date_from, facts.date_to], ["2025-11-25", "2026-11-24"]);
    const { facts: all } = await clean(makeContext(store), { ...OPTIONS, checkDateRange: false });
    assertEquals([all.date_from, all.date_to], [null, null]);
  });

  it("accepts any day when checkDateRange is off", async () => {
    const dates = ["0001-01-01", "9999-12-31"];
    const lines = dates.map((date, index) => sale(index + 1, { date }));
    assertEquals((await cleaned([lines.join("\n")], { checkDateRange: false })).rows, lines);
    assertEquals((await cleaned([lines.join("\n")])).rows, []);
  });

  it("finds duplicates and conflicts across parts and threads, keeping the first in file order", async () => {
    const parts = Array.from(
      { length: 6 },
      (_, part) =>
        Array.from({ length: 500 }, (_, row) => sale(row + 1, part % 3 === 2 ? { quantity: `${part}` } : {}))
          .join("\n"),
    );
    const { rows, facts } = await cleaned(parts, { workers: 4 });
    assertEquals(rows, Array.from({ length: 500 }, (_, row) => sale(row + 1)));
    assertEquals([facts.duplicates, facts.rejected], [1_500, 1_000]);
  });

  it("distinguishes ids that are equal as floating-point numbers", async () => {
    const { rows } = await cleaned([
      ["9007199254740992", "9007199254740993", "9223372036854775807"].map((id) => sale(id)).join("\n"),
    ]);
    assertEquals(rows.length, 3);
  });
});

describe("clean() when it fails", () => {
  const lines = (bad: number, all: number) =>
    Array.from({ length: all }, (_, index) => index < bad ? "bad" : sale(index + 1)).join("\n");

  const shares: [bad: number, all: number, maxRejected: number, passes: boolean][] = [
    [10, 100, 0.1, true],
    [11, 100, 0.1, false],
    // 0.29 × 100 is less than 29 in floating point.
    [29, 100, 0.29, true],
    [7, 100, 0.07, true],
    [1, 100, 0, false],
    [0, 100, 0, true],
    [100, 100, 1, true],
  ];
  for (const [bad, all, maxRejected, passes] of shares) {
    it(`${passes ? "publishes" : "publishes nothing"} when ${bad} of ${all} are rejected and maxRejected is ${maxRejected}`, async () => {
      await writeRawDataset(store, [lines(bad, all)]);
      const run = () => clean(makeContext(store), { ...OPTIONS, maxRejected });
      if (passes) {
        await run();
        assertEquals((await openDataset(store, RUN_ID, "rejected")).rows, bad);
        return;
      }
      const error = await assertRejects(run, SalesflowError, `${bad} of ${all} rows would be rejected`);
      assertEquals(error.exitCode, 1);
      assertStringIncludes(error.message, `malformed_row ${bad}`);
      for (const dataset of ["clean", "rejected"]) {
        assertEquals(await store.list(`runs/${RUN_ID}/${dataset}`), []);
      }
    });
  }

  it("keeps the datasets of an earlier attempt when too many rows are rejected", async () => {
    await cleaned([sale(1)]);
    const before = await store.readText(`runs/${RUN_ID}/clean/manifest.json`);
    await writeRawDataset(store, [lines(2, 2)]);
    await assertRejects(() => clean(makeContext(store), { ...OPTIONS, maxRejected: 0.5 }), SalesflowError);
    assertEquals(await store.readText(`runs/${RUN_ID}/clean/manifest.json`), before);
    assertEquals(await readRows(store, "clean"), [sale(1)]);
  });

  it("fails when a run has no raw data or no rows", async () => {
    await assertRejects(() => clean(makeContext(store), OPTIONS), SalesflowError, "There is no raw data");
    await writeRawDataset(store, [" \n\n\t"]);
    await assertRejects(() => clean(makeContext(store), OPTIONS), SalesflowError, "holds no rows");
  });

  it("fails when the raw data has another as-of date", async () => {
    await writeRawDataset(store, [sale(1)], { asOf: "2026-11-23" });
    const error = await assertRejects(() => clean(makeContext(store), OPTIONS), SalesflowError);
    assertStringIncludes(error.message, "raw/ of run test is as of 2026-11-23, not 2026-11-24");
    assertEquals(error.exitCode, 2);
  });

  const changes: [what: string, change: (bytes: Uint8Array) => Uint8Array | undefined, message: string][] = [
    ["has one byte changed", (bytes) => bytes.with(bytes.length - 20, 57), "was changed"],
    [
      "has a row changed but keeps its size",
      (bytes) => joinBytes([new TextDecoder().decode(bytes).replace("East", "West")]),
      "was changed",
    ],
    ["is shorter", (bytes) => bytes.slice(0, -1), "bytes, the manifest says"],
    ["is longer", (bytes) => joinBytes([bytes, "\n"]), "bytes, the manifest says"],
    ["is gone", () => undefined, "no bytes"],
  ];
  for (const [what, change, message] of changes) {
    it(`publishes nothing when a raw file ${what}`, async () => {
      await writeRawDataset(store, [
        sale(1),
        Array.from({ length: 100 }, (_, index) => sale(index + 2)).join("\n"),
      ]);
      const path = `runs/${RUN_ID}/raw/part-00001.csv`;
      const changed = change(await readFile(store, path));
      await store.remove(path);
      if (changed) {
        const writer = await store.create(path);
        await writer.write(changed);
        await writer.close();
      }
      for (const rangeBytes of [100, 1 << 20]) {
        const error = await assertRejects(
          () => clean(makeContext(store), { ...OPTIONS, rangeBytes }),
          SalesflowError,
          message,
        );
        assertStringIncludes(error.message, "part-00001.csv");
      }
      assertEquals(await readManifest(store, RUN_ID, "clean"), undefined);
      assertEquals(await readManifest(store, RUN_ID, "rejected"), undefined);
    });
  }

  it("stops when the signal aborts in either pass", async () => {
    const body = Array.from({ length: 3_000 }, (_, index) => sale(index + 1)).join("\n");
    await writeRawDataset(store, [body]);
    for (const stopAt of [1, 20, 60]) {
      const stop = new AbortController();
      let calls = 0;
      const progress = () => {
        if (++calls === stopAt) stop.abort(new SalesflowError("Stopped", { exitCode: 75 }));
      };
      await assertRejects(
        () => clean(makeContext(store, { signal: stop.signal, progress }), { ...OPTIONS, rangeBytes: 3_000 }),
        SalesflowError,
        "Stopped",
      );
      assertEquals(await readManifest(store, RUN_ID, "clean"), undefined);
    }
    assertEquals((await cleaned([body])).rows.length, 3_000);
  });
});

describe("clean() when it rejects too many rows", () => {
  const rejection = async (bodies: string[], more: Partial<CleanOptions> = {}) => {
    await writeRawDataset(store, bodies);
    return await assertRejects(
      () => clean(makeContext(store), { ...OPTIONS, maxRejected: 0.1, ...more }),
      SalesflowError,
      "rows would be rejected",
    );
  };

  it("shows two rows per reason, from any range, with control characters escaped", async () => {
    const long = `${sale(9)},${"x".repeat(300)}`;
    const error = await rejection([
      [sale(1), "", "no,\x1b[31msale", long, "third"].join("\n"),
      [sale(2), sale("a"), sale(3)].join("\n"),
    ], { rangeBytes: 40 });
    const [first, ...examples] = error.message.split("\n");
    assertEquals(first!.endsWith("malformed_row 3, invalid_sale_id 1"), true, first);
    assertEquals(examples, [
      "  malformed_row, part-00000.csv line 4: no,\\u001b[31msale",
      `  malformed_row, part-00000.csv line 5: ${long.slice(0, 200)}…`,
      `  invalid_sale_id, part-00001.csv line 3: ${sale("a")}`,
    ]);
    assertEquals((error.evidence!.examples as unknown[])[2], {
      reason: "invalid_sale_id",
      file: "part-00001.csv",
      line: 3,
      raw: sale("a"),
    });
    assertStringIncludes(error.remedy!, "--max-rejected");
  });

  it("names the export, not its raw part", async () => {
    const file = `${folder}/orders.csv`;
    await Deno.writeTextFile(file, `${SALE_HEADER}\n${sale(1)}\n${sale("a")}\n`);
    const rules = { source: sourceOfMap({}, undefined), lookups: [], copies: true };
    await ingest(makeContext(store), {
      inputs: await findInputs([file], folder, "given"),
      rules,
      workers: 1,
    });
    const error = await assertRejects(
      () => clean(makeContext(store), { ...OPTIONS, maxRejected: 0.1 }),
      SalesflowError,
    );
    assertStringIncludes(error.message, `invalid_sale_id, orders.csv line 3: ${sale("a")}`);
  });

  it("suggests how to accept other dates when most rejected rows are out of range", async () => {
    const error = await rejection([
      [sale(1, { date: "2019-03-01" }), sale(2, { date: "2019-03-02" }), sale("a")].join("\n"),
    ]);
    for (const part of ["--no-date-range", "--as-of", "2025-11-25 to 2026-11-24"]) {
      assertStringIncludes(error.remedy!, part);
    }
  });
});
