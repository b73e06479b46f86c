import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { afterAll, beforeEach, describe, it } from "@std/testing/bdd";
import { gzipSync } from "node:zlib";
import { clean } from "../../../lib/clean/clean.ts";
import { SalesflowError, UsageError } from "../../../lib/console/errors.ts";
import { checkExports, ingest } from "../../../lib/ingest/ingest.ts";
import { findInputs, type Input } from "../../../lib/ingest/inputs.ts";
import { type ColumnMap, sourceOfMap } from "../../../lib/ingest/source/column_copier.ts";
import { readRun } from "../../../lib/pipeline/records.ts";
import { REJECTED_HEADER, SALE_HEADER } from "../../../lib/domain/sale.ts";
import { openDataset, readManifest } from "../../../lib/dataset/dataset.ts";
import {
  AS_OF,
  makeContext,
  makeTestStore,
  readFile,
  readRows,
  RUN_ID,
  toBytes,
  writeRawDataset,
} from "../store/harness.ts";

const place = await makeTestStore();
const { store } = place;
afterAll(() => place.remove());
beforeEach(() => store.remove(`runs/${RUN_ID}`));

async function file(name: string, content: string | Uint8Array): Promise<string> {
  const path = `${place.folder}/${name}`;
  await Deno.writeFile(path, toBytes(content));
  return path;
}

async function run(
  files: string[],
  { map = {}, encoding }: { map?: ColumnMap; encoding?: string } = {},
  signal?: AbortSignal,
) {
  const context = makeContext(store, signal ? { signal } : {});
  const rules = { source: sourceOfMap(map, encoding), lookups: [], copies: true };
  const options = { inputs: await findInputs(files, place.folder, "given"), rules, workers: 2 };
  await checkExports(options, new AbortController().signal);
  return await ingest(context, options);
}

/** Returns the content of a raw part. */
async function rawText(part = "part-00000.csv"): Promise<string> {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(
    await readFile(store, `runs/${RUN_ID}/raw/${part}`),
  );
}

describe("checkExports()", () => {
  it("lists the mistakes of all files, but tells at once what must be tried again", async () => {
    const [good, none] = await findInputs(
      [await file("good.csv", `${SALE_HEADER}\n`), "none.csv"],
      place.folder,
      "given",
    );
    const away: Input = {
      ...good!,
      open: () => Promise.reject(new SalesflowError("no answer", { exitCode: 75 })),
    };
    const check = (inputs: Input[]) =>
      checkExports(
        { inputs, rules: { source: sourceOfMap({}, undefined), lookups: [], copies: true }, workers: 1 },
        new AbortController().signal,
      );
    const mistakes = await assertRejects(() => check([none!, good!, none!]), UsageError);
    assertEquals([mistakes.mistakes.length, mistakes.exitCode], [2, 2]);
    const error = await assertRejects(() => check([none!, away, none!]), SalesflowError, "no answer");
    assertEquals(error.exitCode, 75);
  });
});

describe("ingest()", () => {
  it("warns of several currencies in a column that looks like one", async () => {
    const rows = ["1,1,1,1,2026-11-24,10.00,North,RUB", "2,1,1,1,2026-11-24,5.00,North,USD"];
    const path = await file("money.csv", `${SALE_HEADER},Currency\n${rows.join("\n")}\n`);
    const { facts } = await run([path]);
    assertEquals((facts.warnings as string[]).length, 1);
    assertStringIncludes((facts.warnings as string[])[0]!, "money.csv holds amounts in 2 currencies");
    assertStringIncludes((facts.warnings as string[])[0]!, "RUB on line 2, 10.00; USD on line 3, 5.00");
    assertEquals(
      (await run([await file("money.csv", `${SALE_HEADER},Currency\n${rows[0]}\n`)])).facts.warnings,
      undefined,
    );
  });

  it("writes exports of different formats as the parts of one run", async () => {
    const comma = await file("a.csv", `${SALE_HEADER}\n1,1,1,1,2026-11-24,10.00,North\n`);
    const semicolon = await file(
      "b.csv.gz",
      gzipSync(
        "\ufeffregion;note;sale_amount;sale_date;quantity;product_id;customer_id;order no\r\nЮг;x;1 234,50;24.11.2026;2;2;2;2\r\n",
      ),
    );
    const result = await run([comma, semicolon], { map: {} }).catch((error) => error);
    assert(result instanceof SalesflowError && result.message.includes("b.csv.gz line 1"));
    await Deno.writeFile(comma, toBytes((await Deno.readTextFile(comma)).replace("sale_id", "order no")));
    const { rowsIn, rowsOut, facts } = await run([comma, semicolon], { map: { sale_id: "Order No" } });
    assertEquals([rowsIn, rowsOut], [2, 2]);
    assertEquals([facts.source, facts.files, facts.excluded], ["ingested", ["a.csv", "b.csv.gz"], {}]);
    assertEquals(facts.lines, { read: 4, header: 2, records: 2, blank: 0, inside: 0 });
    assertEquals(await readRows(store, "raw"), [
      "1,1,1,1,2026-11-24,10.00,North",
      '2,2,2,2,24.11.2026,"1 234,50",Юг',
    ]);
    assertEquals(await readRun(store, RUN_ID), {
      run_id: RUN_ID,
      as_of: AS_OF,
      source: "ingested",
      parameters: { files: ["a.csv", "b.csv.gz"] },
    });
  });

  it("keeps the line numbers of the export", async () => {
    const rows = [
      "",
      SALE_HEADER,
      "1,1,1,1,2026-11-24,10.00,North",
      "",
      '2,"two\nlines",1,1,2026-11-24,10.00,North',
      "3,1,1",
      "4,1,1,1,2026-11-24,10.00,West",
    ];
    await run([await file("lines.csv", rows.join("\n"))]);
    await clean(makeContext(store), { maxRejected: 1, checkDateRange: true, workers: 1 });
    assertEquals(await readRows(store, "rejected", { header: REJECTED_HEADER }), [
      'part-00000.csv,5,invalid_customer_id,"2,two lines,1,1,2026-11-24,10.00,North"',
      'part-00000.csv,7,malformed_row,"""3,1,1"""',
    ]);
    assertEquals((await readRows(store, "clean")).length, 2);
  });

  it("counts the same rows as clean() for values of every kind", async () => {
    const values = ['"', '""', ",", " ", "\u00a0", "\0", "\ufeff", "=1+1", "я", "\r", "x".repeat(70_000)];
    const lines = values.flatMap((value) => {
      const quoted = `"${value.replaceAll('"', '""')}"`;
      return [`${quoted},1,1,1,2026-11-24,1.00,N`, quoted, `1,${quoted}`, `${quoted}${",".repeat(9)}`];
    });
    const { rowsIn } = await run([await file("odd.csv", `${SALE_HEADER}\n${lines.join("\n")}\n`)]);
    const { facts } = await clean(makeContext(store), { maxRejected: 1, checkDateRange: true, workers: 2 });
    assertEquals(facts.rows_in, rowsIn);
  });

  it("writes very many lines of one record without buffering them", async () => {
    const lines = 600_000;
    const content = `${SALE_HEADER},note\n1,1,1,1,2026-11-24,10.00,North,"${"\n".repeat(lines)}"\n`;
    assertEquals((await run([await file("long.csv", content)])).rowsIn, 1);
    const text = await rawText();
    assertEquals(text.split("\n").length, lines + 3);
    assertEquals(text.replace(/\n+$/, "\n"), `${SALE_HEADER}\n1,1,1,1,2026-11-24,10.00,North\n`);
  });

  it("writes the same bytes when it runs again", async () => {
    const path = await file("same.csv", `${SALE_HEADER}\n1,1,1,1,2026-11-24,10.00,North\n`);
    await run([path]);
    const first = await store.readText(`runs/${RUN_ID}/raw/manifest.json`);
    await run([path]);
    assertEquals(await store.readText(`runs/${RUN_ID}/raw/manifest.json`), first);
  });

  it("reports all invalid files at once and writes nothing", async () => {
    await writeRawDataset(store, ["1,1,1,1,2026-11-24,10.00,North\n"]);
    const before = await store.readText(`runs/${RUN_ID}/raw/manifest.json`);
    const files = [
      await file("good.csv", `${SALE_HEADER}\n1,1,1,1,2026-11-24,10.00,North\n`),
      `${place.folder}/none.csv`,
      await file("empty.csv", ""),
      await file("other.csv", "a,b\n1,2\n"),
    ];
    const error = await assertRejects(() => run(files), UsageError);
    assertEquals(error.mistakes.length, 3);
    for (const part of ["none.csv", "empty.csv is empty", "other.csv line 1"]) {
      assertStringIncludes(error.message, part);
    }
    assertEquals(await store.readText(`runs/${RUN_ID}/raw/manifest.json`), before);
    assertEquals(await readRun(store, RUN_ID), undefined);
  });

  const failures: [what: string, content: string | Uint8Array, message: string][] = [
    ["is empty", "", "is empty: it has no header"],
    ["holds blank lines only", "\n \n", "is empty: it has no header"],
    ["holds a header only", `${SALE_HEADER}\n`, "There are no sales"],
    [
      "is truncated gzip",
      gzipSync(`${SALE_HEADER}\n${"1,1,1,1,2026-11-24,10.00,North\n".repeat(9_999)}`).subarray(0, 300),
      "is damaged",
    ],
    [
      "is not CSV",
      Uint8Array.from({ length: 100_000 }, (_, index) => index * 7919 >> 3),
      "is a binary file",
    ],
  ];
  for (const [what, content, message] of failures) {
    it(`publishes nothing when the file ${what}`, async () => {
      const path = await file("bad.csv", content);
      const error = await assertRejects(() => run([path]), SalesflowError, message);
      assertEquals([error.exitCode, typeof error.remedy], [2, "string"]);
      assertEquals(await readManifest(store, RUN_ID, "raw"), undefined);
      assertEquals((await store.list(`runs/${RUN_ID}/raw`)).filter((name) => name !== "part-00000.csv"), []);
    });
  }

  it("publishes nothing when a later file is truncated", async () => {
    const good = await file("good.csv", `${SALE_HEADER}\n1,1,1,1,2026-11-24,10.00,North\n`);
    const rows = Array.from(
      { length: 120_000 },
      (_, index) => `${index},1,1,1,2026-11-24,${index * 7919 % 1013}.00,North\n`,
    );
    const compressed = gzipSync(`${SALE_HEADER}\n${rows.join("")}`);
    const truncated = await file("cut.csv.gz", compressed.subarray(0, compressed.length - 10));
    const error = await assertRejects(() => run([good, truncated]), SalesflowError, "cut.csv.gz is damaged");
    assertEquals(error.exitCode, 2);
    assertEquals(await readManifest(store, RUN_ID, "raw"), undefined);
    assertEquals(await store.list(`runs/${RUN_ID}/raw`), ["part-00000.csv"]);
    await run([good]);
    assertEquals((await openDataset(store, RUN_ID, "raw")).rows, 1);
  });

  it("publishes nothing when the signal aborts", async () => {
    const path = await file(
      "long.csv",
      `${SALE_HEADER}\n${"1,1,1,1,2026-11-24,10.00,North\n".repeat(20_000)}`,
    );
    const stop = new AbortController();
    stop.abort(new SalesflowError("Stopped", { exitCode: 75 }));
    await assertRejects(() => run([path], {}, stop.signal), SalesflowError, "Stopped");
    assertEquals(await readManifest(store, RUN_ID, "raw"), undefined);
  });
});
