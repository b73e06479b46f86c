import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { afterAll, beforeEach, describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { clean, type CleanOptions } from "../../../lib/clean/clean.ts";
import { SalesflowError } from "../../../lib/console/errors.ts";
import { Random } from "../../../lib/generate/random.ts";
import { ingest } from "../../../lib/ingest/ingest.ts";
import { REASONS, REJECTED_HEADER, SALE_HEADER } from "../../../lib/domain/sale.ts";
import { findDataset, openDataset } from "../../../lib/dataset/dataset.ts";
import { contextOf, joinBytes, makePlace, putRaw, readFile, readRows, RUN_ID } from "../store/harness.ts";

const OPTIONS: CleanOptions = { maxRejected: 1, checkDateRange: true, workers: 2 };
const CANONICAL =
  /^[1-9]\d{0,18},[1-9]\d{0,18},[1-9]\d{0,9},[1-9]\d{0,9},\d{4}-\d{2}-\d{2},(0|[1-9]\d{0,11})\.\d{2},(North|South|East|West)$/;

const place = await makePlace();
const { store } = place;
afterAll(() => place.remove());
beforeEach(() => store.remove(`runs/${RUN_ID}`));

/** Cleans raw parts, and checks what must hold for any input before the result is given back. */
async function cleaned(bodies: (string | Uint8Array)[], more: Partial<CleanOptions> = {}) {
  await putRaw(store, bodies);
  const { rowsIn, rowsOut, facts } = await clean(contextOf(store), { ...OPTIONS, ...more });
  const rows = await readRows(store, "clean");
  const rejected = await readRows(store, "rejected", { header: REJECTED_HEADER });
  const reasons = facts.rejected_by_reason as Record<string, number>;
  assertEquals(rowsIn, facts.rows_in);
  assertEquals(rowsOut, rows.length);
  assertEquals(facts.rows_out, rows.length);
  assertEquals(facts.rejected, rejected.length);
  assertEquals(facts.rows_in, rows.length + Number(facts.duplicates) + rejected.length);
  assertEquals(Object.values(reasons).reduce((sum, count) => sum + count), rejected.length);
  const ids = new Set<string>();
  for (const row of rows) {
    assertMatch(row, CANONICAL);
    ids.add(row.slice(0, row.indexOf(",")));
  }
  assertEquals(ids.size, rows.length);
  for (const line of rejected) {
    const [, , , reason] = /^(part-\d{5}\.csv),([1-9]\d*),([a-z_]+),"(?:[^"]|"")*"$/.exec(line)!;
    assert(REASONS.some((name) => name === reason), line);
    assert(!line.includes("\0"));
  }
  return { rows, rejected, facts };
}

/** A sale of that number. */
function sale(
  id: number | string,
  more: Partial<Record<"quantity" | "date" | "amount" | "region", string>> = {},
) {
  const { quantity = "1", date = "2026-11-24", amount = "10.00", region = "East" } = more;
  return `${id},1,1,${quantity},${date},${amount},${region}`;
}

describe("clean()", () => {
  it("keeps what is canonical, converts what is not, and refuses the rest with file, line and reason", async () => {
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

  it("says what it was made from, and from which days", async () => {
    const raw = await putRaw(store, [sale(1)]);
    await clean(contextOf(store), OPTIONS);
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
    const { facts: all } = await clean(contextOf(store), { ...OPTIONS, checkDateRange: false });
    assertEquals([all.date_from, all.date_to], [null, null]);
  });

  it("accepts any day when told so", async () => {
    const dates = ["0001-01-01", "9999-12-31"];
    const lines = dates.map((date, index) => sale(index + 1, { date }));
    assertEquals((await cleaned([lines.join("\n")], { checkDateRange: false })).rows, lines);
    assertEquals((await cleaned([lines.join("\n")])).rows, []);
  });

  it("finds duplicates and conflicts across parts and threads, the first in file order winning", async () => {
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

  it("tells ids apart that are equal as floating-point numbers", async () => {
    const { rows } = await cleaned([
      ["9007199254740992", "9007199254740993", "9223372036854775807"].map((id) => sale(id)).join("\n"),
    ]);
    assertEquals(rows.length, 3);
  });
});

describe("clean() in ranges", () => {
  const body = [
    sale(1),
    sale("01", { quantity: "1.0" }),
    `  ${sale(2, { amount: '"1 234,50"' })}`,
    "",
    sale(2, { amount: "1.00" }),
    "x".repeat(150),
    sale(3, { region: "Запад" }),
    ` \t`,
    '"open',
    sale(4),
  ];
  const bodies = [body.join("\n"), body.slice(4).join("\r\n") + "\r\n", "", "\n\n"];

  it("gives the same rows whatever the ranges and threads", async () => {
    const { rows, rejected, facts } = await cleaned(bodies);
    const { raw: _, rejects: __, ...whole } = facts;
    assertEquals([rows.length, rejected.length, whole.duplicates], [4, 6, 3]);
    for (const rangeBytes of [1, 2, 7, 32, 71, 72, 73, 200]) {
      for (const workers of rangeBytes < 8 ? [3] : [1, 3]) {
        const other = await cleaned(bodies, { rangeBytes, workers });
        assertEquals([other.rows, other.rejected], [rows, rejected], `ranges of ${rangeBytes} bytes`);
        const { raw: _, rejects: __, ...counts } = other.facts;
        assertEquals(counts, whole);
      }
    }
  });

  it("keeps lines of the longest length and refuses longer ones, wherever ranges cut them", async () => {
    const padded = (bytes: number) => sale(bytes) + " ".repeat(bytes - sale(bytes).length);
    const lengths = [65_535, 65_536, 65_537, 65_538, 131_072];
    for (
      const [lineEnd, rangeBytes] of [["\n", 65_536], ["\r\n", 65_536], ["\n", 1_000], [
        "\r\n",
        65_537,
      ]] as const
    ) {
      const { rows, rejected } = await cleaned([lengths.map(padded).join(lineEnd)], { rangeBytes });
      assertEquals(rows, [sale(65_535), sale(65_536)]);
      assertEquals(
        rejected,
        [65_537, 65_538, 131_072].map((bytes, index) =>
          `part-00000.csv,${index + 4},malformed_row,"${padded(bytes).slice(0, 65_536)}"`
        ),
      );
    }
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
    it(`${passes ? "publishes" : "publishes nothing"} when ${bad} of ${all} are refused and ${maxRejected} may be`, async () => {
      await putRaw(store, [lines(bad, all)]);
      const run = () => clean(contextOf(store), { ...OPTIONS, maxRejected });
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

  it("leaves the datasets of an earlier attempt as they were when too much is refused", async () => {
    await cleaned([sale(1)]);
    const before = await store.readText(`runs/${RUN_ID}/clean/manifest.json`);
    await putRaw(store, [lines(2, 2)]);
    await assertRejects(() => clean(contextOf(store), { ...OPTIONS, maxRejected: 0.5 }), SalesflowError);
    assertEquals(await store.readText(`runs/${RUN_ID}/clean/manifest.json`), before);
    assertEquals(await readRows(store, "clean"), [sale(1)]);
  });

  it("refuses a run without raw data, or without rows", async () => {
    await assertRejects(() => clean(contextOf(store), OPTIONS), SalesflowError, "There is no raw data");
    await putRaw(store, [" \n\n\t"]);
    await assertRejects(() => clean(contextOf(store), OPTIONS), SalesflowError, "holds no rows");
  });

  it("refuses raw data of another as-of date", async () => {
    await putRaw(store, [sale(1)], { asOf: "2026-11-23" });
    const error = await assertRejects(() => clean(contextOf(store), OPTIONS), SalesflowError);
    assertStringIncludes(error.message, "raw/ of run test is as of 2026-11-23, not 2026-11-24");
    assertEquals(error.exitCode, 2);
  });

  const changes: [what: string, change: (bytes: Uint8Array) => Uint8Array | undefined, message: string][] = [
    ["has one byte changed", (bytes) => bytes.with(bytes.length - 20, 57), "was changed"],
    [
      "has a row changed in its place",
      (bytes) => joinBytes([new TextDecoder().decode(bytes).replace("East", "West")]),
      "was changed",
    ],
    ["is shorter", (bytes) => bytes.slice(0, -1), "bytes, the manifest says"],
    ["is longer", (bytes) => joinBytes([bytes, "\n"]), "bytes, the manifest says"],
    ["is gone", () => undefined, "no bytes"],
  ];
  for (const [what, change, message] of changes) {
    it(`publishes nothing when a raw file ${what}`, async () => {
      await putRaw(store, [sale(1), Array.from({ length: 100 }, (_, index) => sale(index + 2)).join("\n")]);
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
          () => clean(contextOf(store), { ...OPTIONS, rangeBytes }),
          SalesflowError,
          message,
        );
        assertStringIncludes(error.message, "part-00001.csv");
      }
      assertEquals(await findDataset(store, RUN_ID, "clean"), undefined);
      assertEquals(await findDataset(store, RUN_ID, "rejected"), undefined);
    });
  }

  it("stops at once when it is told to, in either pass", async () => {
    const body = Array.from({ length: 3_000 }, (_, index) => sale(index + 1)).join("\n");
    await putRaw(store, [body]);
    for (const stopAt of [1, 20, 60]) {
      const stop = new AbortController();
      let calls = 0;
      const progress = () => {
        if (++calls === stopAt) stop.abort(new SalesflowError("Stopped", { exitCode: 75 }));
      };
      await assertRejects(
        () => clean(contextOf(store, { signal: stop.signal, progress }), { ...OPTIONS, rangeBytes: 3_000 }),
        SalesflowError,
        "Stopped",
      );
      assertEquals(await findDataset(store, RUN_ID, "clean"), undefined);
    }
    assertEquals((await cleaned([body])).rows.length, 3_000);
  });
});

describe("clean() on rubbish", () => {
  const random = new Random(6);
  const bytesOf = (length: number, byte: (index: number) => number) =>
    Uint8Array.from({ length }, (_, i) => byte(i));
  const pick = (choices: Uint8Array, stream: number) => (index: number) =>
    choices[random.uint32(stream, index) % choices.length]!;

  const inputs: [what: string, body: string | Uint8Array][] = [
    ["random bytes", bytesOf(300_000, (index) => random.uint32(0, index) & 0xff)],
    [
      "random bytes of the kind that rows are made of",
      bytesOf(300_000, pick(joinBytes(['0123456789,.-" \r\n\n']), 1)),
    ],
    ["quotes, commas and line ends", bytesOf(300_000, pick(joinBytes(['",\n\r']), 2))],
    [
      "broken UTF-8",
      bytesOf(300_000, pick(Uint8Array.of(0xc2, 0xa0, 0xe2, 0x80, 0xaf, 0xff, 0xd0, 0x2c, 0x0a), 3)),
    ],
    ["a million columns", `${",".repeat(1_000_000)}\n${sale(1)}`],
    ["ten thousand columns", `${",".repeat(10_000)}\n${sale(1)}`],
    ["a field of five million bytes", `1,${"9".repeat(5_000_000)},1,1,2026-11-24,1.00,East\n${sale(1)}`],
    ["a quoted field that never ends", `1,"${"a\n".repeat(100_000)}`],
    ["NULs", `${"\0".repeat(70_000)}\n${"\0\n".repeat(1_000)}${sale("1\0")}\n${sale(2)}`],
    ["a formula", `=cmd|'/c calc'!A1,1,1,1,2026-11-24,1.00,East\n${sale(1, { region: "@SUM(A1)" })}`],
    ["blanks only, in one long line", `${" ".repeat(500_000)}\n${sale(1)}`],
  ];
  for (const [what, body] of inputs) {
    it(`ends in counts that add up: ${what}`, async () => {
      const { facts } = await cleaned([body]);
      assert(Number(facts.rows_in) > 0);
      const again = await cleaned([body], { rangeBytes: 50_000, workers: 1 });
      const counts = ({ raw: _, rejects: __, ...rest }: Record<string, unknown>) => rest;
      assertEquals(counts(again.facts), counts(facts));
    });
  }

  it("ends in counts that add up, and in the same ones for any ranges, for lines near good ones", async () => {
    const value = fc.constantFrom(
      "1",
      "01",
      "3.0",
      "2026-11-24",
      "24.11.2026",
      "10.00",
      "₽1",
      '"1,5"',
      "N",
      "East",
      "",
      "x",
    );
    const good = fc.tuple(fc.integer({ min: 1, max: 30 }), fc.constantFrom("1", "2"))
      .map(([id, quantity]) => sale(id, { quantity }));
    const line = fc.oneof(
      good,
      good,
      fc.array(value, { minLength: 6, maxLength: 8 }).map((values) => values.join(",")),
    );
    const body = fc.tuple(fc.array(line, { maxLength: 40 }), fc.constantFrom("\n", "\r\n"))
      .map(([lines, lineEnd]) => [sale(99), ...lines].join(lineEnd));
    await fc.assert(
      fc.asyncProperty(
        fc.array(body, { minLength: 1, maxLength: 3 }),
        fc.integer({ min: 40, max: 900 }),
        async (bodies, rangeBytes) => {
          const whole = await cleaned(bodies, { workers: 1 });
          const other = await cleaned(bodies, { workers: 2, rangeBytes });
          assertEquals([other.rows, other.rejected], [whole.rows, whole.rejected]);
        },
      ),
      { numRuns: 15 },
    );
  });
});

describe("clean() that refuses too much", () => {
  const refusal = async (bodies: string[], more: Partial<CleanOptions> = {}) => {
    await putRaw(store, bodies);
    return await assertRejects(
      () => clean(contextOf(store), { ...OPTIONS, maxRejected: 0.1, ...more }),
      SalesflowError,
      "rows would be rejected",
    );
  };

  it("shows two rows of each reason, wherever they stand, fit for a terminal", async () => {
    const long = `${sale(9)},${"x".repeat(300)}`;
    const error = await refusal([
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

  it("names the export, not the part that it became", async () => {
    const file = `${place.folder}/orders.csv`;
    await Deno.writeTextFile(file, `${SALE_HEADER}\n${sale(1)}\n${sale("a")}\n`);
    await ingest(contextOf(store), { files: [file], map: {}, encoding: "utf-8" });
    const error = await assertRejects(
      () => clean(contextOf(store), { ...OPTIONS, maxRejected: 0.1 }),
      SalesflowError,
    );
    assertStringIncludes(error.message, `invalid_sale_id, orders.csv line 3: ${sale("a")}`);
  });

  it("says how to accept other dates when it is mostly dates", async () => {
    const error = await refusal([
      [sale(1, { date: "2019-03-01" }), sale(2, { date: "2019-03-02" }), sale("a")].join("\n"),
    ]);
    for (const part of ["--no-date-range", "--as-of", "2025-11-25 to 2026-11-24"]) {
      assertStringIncludes(error.remedy!, part);
    }
  });
});
