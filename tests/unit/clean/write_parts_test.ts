import { assertEquals, assertRejects } from "@std/assert";
import { afterAll, describe, it } from "@std/testing/bdd";
import { MAX_LINE_BYTES } from "../../../lib/clean/rules.ts";
import { CONFLICT, DUPLICATE } from "../../../lib/clean/row_status.ts";
import { RangeValidator } from "../../../lib/clean/validate.ts";
import { writeParts } from "../../../lib/clean/write_parts.ts";
import { REJECTED_HEADER, SALE_HEADER } from "../../../lib/domain/sale.ts";
import { joinBytes, makeTestStore, readFile, sha256 } from "../store/harness.ts";

const LINE = "7,11,22,3,2026-11-24,10.00,North";

const place = await makeTestStore();
const { store } = place;
afterAll(() => place.remove());

const decoder = new TextDecoder("utf-8", { ignoreBOM: true, fatal: true });

/** Validates and writes a range; returns the lines of both parts after their headers. */
async function write(
  bytes: Uint8Array,
  statuses = new RangeValidator(undefined, 1).validate(bytes).statuses,
) {
  const parts = await writeParts(bytes, statuses, {
    store,
    cleanFolder: "clean",
    rejectedFolder: "rejected",
    name: "part-00002.csv",
    rawPart: "part-00001.csv",
    linesBefore: 100,
    dayRange: undefined,
  });
  const lines: Record<"clean" | "rejected", string[]> = { clean: [], rejected: [] };
  for (const [dataset, header] of [["clean", SALE_HEADER], ["rejected", REJECTED_HEADER]] as const) {
    const { name, rows, ...rest } = parts[dataset];
    const content = await readFile(store, `${dataset}/${name}`);
    assertEquals(rest, { bytes: content.length, sha256: sha256(content) });
    const [first, ...others] = decoder.decode(content).split("\n");
    assertEquals([name, first, others.pop()], ["part-00002.csv", header, ""]);
    assertEquals(rows, others.length);
    lines[dataset] = others;
  }
  return lines;
}

describe("writeParts()", () => {
  it("writes accepted rows as canonical lines, and rejected lines with part, line and reason", async () => {
    const lines = [LINE, ` ${LINE}`, "", LINE, `${LINE}\r`, 'say "no"', LINE.replace("North", "Nord"), LINE];
    assertEquals(await write(joinBytes([lines.join("\n")])), {
      clean: [LINE, LINE, LINE, LINE, LINE],
      rejected: [
        'part-00001.csv,106,malformed_row,"say ""no"""',
        `part-00001.csv,107,unknown_region,"${LINE.replace("North", "Nord")}"`,
      ],
    });
  });

  it("leaves out duplicates and rejects conflicts", async () => {
    const bytes = joinBytes([`${LINE}\n${LINE}\n${LINE}\n`]);
    const { statuses } = new RangeValidator(undefined, 1).validate(bytes);
    statuses.set([DUPLICATE, CONFLICT], 1);
    assertEquals(await write(bytes, statuses), {
      clean: [LINE],
      rejected: [`part-00001.csv,103,conflicting_duplicate,"${LINE}"`],
    });
  });

  it("writes rejected lines as valid UTF-8 without NUL, truncated to MAX_LINE_BYTES", async () => {
    const bytes = joinBytes(["a\0", Uint8Array.of(0xff), "\n", "x".repeat(MAX_LINE_BYTES + 1), "\n"]);
    const { rejected } = await write(bytes);
    assertEquals(rejected, [
      'part-00001.csv,101,malformed_row,"a\ufffd\ufffd"',
      `part-00001.csv,102,malformed_row,"${"x".repeat(MAX_LINE_BYTES)}"`,
    ]);
  });

  it("writes two parts without rows for an empty range", async () => {
    assertEquals(await write(new Uint8Array()), { clean: [], rejected: [] });
  });

  it("throws when an accepted line was changed after the first pass", async () => {
    const { statuses } = new RangeValidator(undefined, 1).validate(joinBytes([LINE, "\n", ` ${LINE}`]));
    const changed = joinBytes([LINE, "\n", `x${LINE}`]);
    await assertRejects(() => write(changed, statuses), Error, "line 102 of part-00001.csv changed");
  });
});
