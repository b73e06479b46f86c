import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { convertRow, dayKey, formatCanonicalRow, splitLine } from "../../../lib/clean/rules.ts";
import { dateRange } from "../../../lib/domain/dates.ts";
import { DEFECTS, type Fields, REFORMATS } from "../../../lib/generate/defects.ts";
import { Random } from "../../../lib/generate/random.ts";

const AS_OF = "2026-11-24";
const { from, to } = dateRange(AS_OF);
const RANGE = { from: dayKey(from), to: dayKey(to) };

/** Small and large amounts, first and last day, every region. */
const SALES: Fields[] = [
  ["10000000", "100001", "1", "1", "2025-11-25", "0.10", "North"],
  ["10000002", "149999", "500", "30", "2026-11-24", "999.90", "South"],
  ["10000004", "123456", "77", "2", "2026-02-28", "1000.00", "East"],
  ["4010000000", "100100001", "100000", "10", "2026-01-01", "5175000.00", "West"],
];

/** Reach every variant: all small values, and some of 32 bits. */
const random = new Random(1);
const DRAWS = Array.from({ length: 4_000 }, (_, index) => index < 2_000 ? index : random.uint32(0, index));

/** Returns the canonical line, or the reason to reject it. */
function cleanLine(line: string): string {
  const values = splitLine(line);
  if (!values) return "malformed_row";
  const row = convertRow(values, RANGE);
  return typeof row === "string" ? row : formatCanonicalRow(row);
}

describe("REFORMATS", () => {
  for (const [kind, reformat] of Object.entries(REFORMATS)) {
    it(`${kind}() changes the format so that clean still reads the same sale`, () => {
      const variants = new Set<string>();
      for (const sale of SALES) {
        for (const draw of DRAWS) {
          const fields: Fields = [...sale];
          reformat(fields, draw);
          const line = fields.join(",");
          assert(line !== sale.join(","), `draw ${draw} does not change the line`);
          assertEquals(cleanLine(line), sale.join(","), line);
          variants.add(line);
        }
      }
      assert(variants.size >= SALES.length);
    });
  }
});

describe("DEFECTS", () => {
  for (const [reason, defect] of Object.entries(DEFECTS)) {
    it(`${reason}() returns a line that clean rejects for this reason`, () => {
      const variants = new Set<string>();
      for (const sale of SALES) {
        for (const draw of DRAWS) {
          const line = defect([...sale], draw, AS_OF);
          assertEquals(cleanLine(line), reason, line);
          variants.add(line);
        }
      }
      assert(variants.size >= 2 * SALES.length, `only ${variants.size} variants`);
    });
  }
});
