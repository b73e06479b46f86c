import { assert, assertEquals, assertRejects } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { forEachLine, isBlank, readLines, splitIntoRanges } from "../../../lib/clean/lines.ts";
import { MAX_LINE_BYTES } from "../../../lib/clean/rules.ts";
import { SalesflowError } from "../../../lib/console/errors.ts";
import { SALE_HEADER } from "../../../lib/domain/sale.ts";
import { joinBytes, makeTestStore, type TestStore } from "../store/harness.ts";

const HEADER = `${SALE_HEADER}\n`;
const PART = "part-00000.csv";

let place: TestStore;
beforeAll(async () => {
  place = await makeTestStore();
});
afterAll(() => place.remove());

async function put(bytes: Uint8Array): Promise<void> {
  const writer = await place.store.create(`raw/${PART}`);
  await writer.write(bytes);
  await writer.close();
}

function partOf(bytes: number) {
  return { name: PART, rows: 0, bytes, sha256: "" };
}

/** Summarises a line: its beginning, and its length unless it is too long. */
function summarize(line: Uint8Array): string {
  const text = Array.from(line.subarray(0, 40), (byte) => String.fromCharCode(byte)).join("");
  return line.length > MAX_LINE_BYTES ? `${text}… too long` : `${text} ${line.length}`;
}

/** Returns the lines of all ranges in order, and the number of header lines that were skipped. */
async function readRanges(ranges: { part: string; start: number; end: number }[]) {
  const lines: string[] = [];
  let headers = 0;
  for (const range of ranges) {
    const { bytes, headerLines } = await readLines(place.store, "raw", range);
    headers += headerLines;
    forEachLine(bytes, (start, end) => lines.push(summarize(bytes.subarray(start, end))));
  }
  return { lines, headers };
}

/** Splits byte by byte as the data contract says: bytes between line feeds, without one carriage return at the end. */
function splitByteByByte(bytes: Uint8Array): string[] {
  const lines: number[][] = [[]];
  for (const byte of bytes) {
    if (byte === 10) lines.push([]);
    else lines.at(-1)!.push(byte);
  }
  if (lines.at(-1)!.length === 0) lines.pop();
  return lines.slice(1).map((line) =>
    summarize(Uint8Array.from(line.at(-1) === 13 ? line.slice(0, -1) : line))
  );
}

describe("splitIntoRanges()", () => {
  it("covers every byte of every part exactly once, in order", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(5_000)), fc.integer({ min: 1, max: 6_000 }), (sizes, rangeBytes) => {
        const parts = sizes.map((bytes, index) => ({ ...partOf(bytes), name: `part-${index}` }));
        const ranges = splitIntoRanges(parts, rangeBytes);
        for (const { name, bytes } of parts) {
          const own = ranges.filter(({ part }) => part === name);
          assertEquals(own[0]!.start, 0);
          assertEquals(own.at(-1)!.end, bytes);
          own.forEach(({ start, end }, index) => {
            assert(end - start <= rangeBytes);
            if (index > 0) assertEquals(start, own[index - 1]!.end);
          });
        }
        assertEquals(
          ranges.map(({ part }) => part),
          ranges.map(({ part }) => part).toSorted((a, b) => Number(a.slice(5)) - Number(b.slice(5))),
        );
      }),
    );
  });
});

describe("readLines()", () => {
  it("assigns every line to exactly one range, for any ranges", async () => {
    const line = fc.oneof(
      fc.constantFrom("", " ", "\r", "a", "1,2,3"),
      fc.string({ unit: fc.constantFrom("a", "я", ",", '"', "\r", "\0"), maxLength: 30 }),
    );
    const body = fc.tuple(fc.array(line, { maxLength: 12 }), fc.constantFrom("\n", "\r\n"), fc.boolean())
      .map(([lines, lineEnd, ends]) => lines.join(lineEnd) + (ends ? lineEnd : ""));
    await fc.assert(
      fc.asyncProperty(body, fc.integer({ min: 1, max: 200 }), async (text, rangeBytes) => {
        const bytes = joinBytes([HEADER, text]);
        await put(bytes);
        const { lines, headers } = await readRanges(splitIntoRanges([partOf(bytes.length)], rangeBytes));
        assertEquals(lines, splitByteByByte(bytes));
        assertEquals(headers, 1);
      }),
      { numRuns: 150 },
    );
  });

  for (const length of [65_535, 65_536, 65_537, 65_538, 65_539, 140_000]) {
    for (const [name, lineEnd] of [["LF", "\n"], ["CR LF", "\r\n"]] as const) {
      it(`assigns a line of ${length} bytes with ${name} to one range at every alignment`, async () => {
        const before = `before${lineEnd}`;
        const bytes = joinBytes([HEADER, before, "x".repeat(length), lineEnd, "after", lineEnd]);
        await put(bytes);
        const expected = splitByteByByte(bytes);
        const start = HEADER.length + before.length;
        const end = start + length + lineEnd.length;
        const near = (offset: number) => Array.from({ length: 9 }, (_, index) => offset - 4 + index);
        const cuts = [...near(start), ...near(start + 65_536), ...near(end)];
        for (const cut of cuts.filter((cut) => cut > 0 && cut < bytes.length)) {
          const ranges = [{ part: PART, start: 0, end: cut }, { part: PART, start: cut, end: bytes.length }];
          assertEquals((await readRanges(ranges)).lines, expected, `cut at ${cut}`);
        }
      });
    }
    it(`assigns a last line of ${length} bytes without a line end to one range at every alignment`, async () => {
      const bytes = joinBytes([HEADER, "x".repeat(length)]);
      await put(bytes);
      for (let cut = HEADER.length - 2; cut <= HEADER.length + 3; cut++) {
        const ranges = [{ part: PART, start: 0, end: cut }, { part: PART, start: cut, end: bytes.length }];
        assertEquals((await readRanges(ranges)).lines, splitByteByByte(bytes), `cut at ${cut}`);
      }
    });
  }

  const longLines: [what: string, line: string | Uint8Array, blank: boolean][] = [
    ["spaces", " ".repeat(70_000), true],
    ["spaces before CR", `${" ".repeat(70_000)}\r`, true],
    ["no-break spaces", "\u00a0".repeat(40_000), true],
    ["narrow no-break spaces, in more than one read block", "\u202f".repeat(800_000), true],
    ["spaces and a letter", `${" ".repeat(70_000)}x`, false],
    ["spaces and a letter, in a later read block", `${" ".repeat(1_500_000)}x`, false],
    ["no-break spaces and half of one", joinBytes(["\u00a0".repeat(40_000), Uint8Array.of(0xc2)]), false],
    ["spaces and two carriage returns", `${" ".repeat(70_000)}\r\r`, false],
    ["spaces around a carriage return", `${" ".repeat(70_000)}\r `, false],
  ];
  for (const [what, line, blank] of longLines) {
    for (const lineEnd of ["\nafter\n", ""]) {
      it(`detects whether a truncated ${lineEnd ? "" : "last "}line is blank: ${what}`, async () => {
        const bytes = joinBytes([HEADER, line, lineEnd]);
        await put(bytes);
        for (const cut of [1, 2, 3, 4, 5].map((more) => HEADER.length + more)) {
          const { bytes: read } = await readLines(place.store, "raw", { part: PART, start: 0, end: cut });
          const found: boolean[] = [];
          forEachLine(read, (start, end) => found.push(isBlank(read, start, end)));
          assertEquals(found, [blank], `cut at ${cut}`);
          assert(read.length <= HEADER.length + MAX_LINE_BYTES + 10);
        }
      });
    }
  }

  const headers: [what: string, header: string, valid: boolean][] = [
    ["with LF", `${SALE_HEADER}\n`, true],
    ["with CR LF", `${SALE_HEADER}\r\n`, true],
    ["without a line end", SALE_HEADER, true],
    ["after a byte order mark", `\ufeff${SALE_HEADER}\n`, false],
    ["in upper case", `${SALE_HEADER.toUpperCase()}\n`, false],
    ["with a trailing blank", `${SALE_HEADER} \n`, false],
    ["that is missing", "1,1,1,1,2026-01-01,1.00,East\n", false],
    ["that is empty", "\n", false],
    ["in an empty part", "", false],
  ];
  for (const [what, header, valid] of headers) {
    it(`${valid ? "skips" : "rejects"} a header ${what}`, async () => {
      const bytes = joinBytes([header]);
      await put(bytes);
      const read = () => readRanges(splitIntoRanges([partOf(bytes.length)]));
      if (valid) assertEquals(await read(), { lines: [], headers: 1 });
      else await assertRejects(read, SalesflowError, `${PART} line 1`);
    });
  }
});

describe("isBlank()", () => {
  const cases: [line: string, blank: boolean][] = [
    ["", true],
    [" \t\u00a0\u202f", true],
    ["\u00a0".repeat(3), true],
    ["\r", false],
    ["\u2003", false],
    ["\u00a1", false],
    ["\u202e", false],
    [" a", false],
    ["\0", false],
  ];
  for (const [line, blank] of cases) {
    it(`returns ${blank} for ${JSON.stringify(line)}`, () => {
      const bytes = joinBytes(["x", line, "y"]);
      assertEquals(isBlank(bytes, 1, bytes.length - 1), blank);
    });
  }

  it("does not complete a blank with bytes after the line", () => {
    const bytes = joinBytes(["\u00a0\u202f"]);
    for (const end of [1, 3, 4]) assertEquals(isBlank(bytes, 0, end), false);
    for (const end of [0, 2, 5]) assertEquals(isBlank(bytes, 0, end), true);
  });
});
