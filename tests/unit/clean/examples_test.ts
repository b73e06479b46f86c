import { assertEquals, assertRejects } from "@std/assert";
import { afterAll, beforeEach, describe, it } from "@std/testing/bdd";
import { collectExamples, type ValidatedRange } from "../../../lib/clean/examples.ts";
import { readLines, splitIntoRanges } from "../../../lib/clean/lines.ts";
import { RangeValidator } from "../../../lib/clean/validate.ts";
import type { Manifest } from "../../../lib/dataset/dataset.ts";
import { makeContext, makeTestStore, RUN_ID, writeRawDataset } from "../store/harness.ts";

const LINE = "7,11,22,3,2026-11-24,10.00,North";

const place = await makeTestStore();
const { store } = place;
afterAll(() => place.remove());
beforeEach(() => store.remove(`runs/${RUN_ID}`));

/** Validates the ranges of a raw dataset, as the first pass does. */
async function validateRanges(raw: Manifest, rangeBytes?: number): Promise<ValidatedRange[]> {
  const validator = new RangeValidator(undefined, 1);
  const ranges: ValidatedRange[] = [];
  let linesBefore = 0;
  for (const range of splitIntoRanges(raw.parts, rangeBytes)) {
    if (range.start === 0) linesBefore = 0;
    const { bytes, headerLines } = await readLines(store, `runs/${RUN_ID}/raw`, range);
    const { statuses } = validator.validate(bytes);
    ranges.push({ range, statuses, linesBefore });
    linesBefore += statuses.length + headerLines;
  }
  return ranges;
}

describe("collectExamples()", () => {
  it("returns the first two rows of each reason, in the order of the reasons, for any ranges", async () => {
    const unknown = LINE.replace("North", "Nord");
    const raw = await writeRawDataset(store, [
      [unknown, "", LINE, "a"].join("\n"),
      ["b", unknown, "c", unknown].join("\n"),
    ]);
    for (const rangeBytes of [1, 40, undefined]) {
      const examples = await collectExamples(makeContext(store), raw, await validateRanges(raw, rangeBytes));
      assertEquals(examples, [
        { reason: "malformed_row", file: "part-00000.csv", line: 5, raw: "a" },
        { reason: "malformed_row", file: "part-00001.csv", line: 2, raw: "b" },
        { reason: "unknown_region", file: "part-00000.csv", line: 2, raw: unknown },
        { reason: "unknown_region", file: "part-00001.csv", line: 3, raw: unknown },
      ]);
    }
  });

  it("returns nothing when no row is rejected", async () => {
    const raw = await writeRawDataset(store, [LINE]);
    assertEquals(await collectExamples(makeContext(store), raw, await validateRanges(raw)), []);
  });

  it("names the ingested file of a part", async () => {
    const raw = await writeRawDataset(store, [LINE, "a"]);
    raw.facts.files = ["first.csv", "second.csv"];
    const [example] = await collectExamples(makeContext(store), raw, await validateRanges(raw));
    assertEquals([example!.file, example!.line], ["second.csv", 2]);
  });

  it("truncates lines and escapes control characters", async () => {
    const raw = await writeRawDataset(store, [`\x1b[2J${"x".repeat(300)}`]);
    const [example] = await collectExamples(makeContext(store), raw, await validateRanges(raw));
    assertEquals(example!.raw, `\\u001b[2J${"x".repeat(196)}…`);
  });

  it("reads only the ranges that it needs", async () => {
    const raw = await writeRawDataset(store, ["a\nb", "c"]);
    const ranges = await validateRanges(raw);
    await store.remove(`runs/${RUN_ID}/raw/part-00001.csv`);
    assertEquals((await collectExamples(makeContext(store), raw, ranges)).map(({ raw }) => raw), ["a", "b"]);
    await assertRejects(() => collectExamples(makeContext(store), raw, ranges.slice(1)));
  });
});
