/** `clean` gives the same rows for any ranges and threads, and counts that add up for any bytes. */
import { assert, assertEquals } from "@std/assert";
import { afterAll, beforeEach, describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import type { CleanOptions } from "../../lib/clean/clean.ts";
import { Random } from "../../lib/generate/random.ts";
import { cleanAndCheck, sale } from "../unit/clean/harness.ts";
import { joinBytes, makeTestStore, RUN_ID } from "../unit/store/harness.ts";

const { store, remove } = await makeTestStore();
afterAll(remove);
beforeEach(() => store.remove(`runs/${RUN_ID}`));
const cleaned = (bodies: (string | Uint8Array)[], more: Partial<CleanOptions> = {}) =>
  cleanAndCheck(store, bodies, more);

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

  it("returns the same rows for any ranges and threads", async () => {
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

  it("keeps lines of the maximum length and rejects longer ones at any range boundary", async () => {
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

describe("clean() with garbage input", () => {
  const random = new Random(6);
  const bytesOf = (length: number, byte: (index: number) => number) =>
    Uint8Array.from({ length }, (_, i) => byte(i));
  const pick = (choices: Uint8Array, stream: number) => (index: number) =>
    choices[random.uint32(stream, index) % choices.length]!;

  const inputs: [what: string, body: string | Uint8Array][] = [
    ["random bytes", bytesOf(300_000, (index) => random.uint32(0, index) & 0xff)],
    [
      "random bytes that occur in rows",
      bytesOf(300_000, pick(joinBytes(['0123456789,.-" \r\n\n']), 1)),
    ],
    ["quotes, commas and line ends", bytesOf(300_000, pick(joinBytes(['",\n\r']), 2))],
    [
      "invalid UTF-8",
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
    it(`returns counts that add up for ${what}`, async () => {
      const { facts } = await cleaned([body]);
      assert(Number(facts.rows_in) > 0);
      const again = await cleaned([body], { rangeBytes: 50_000, workers: 1 });
      const counts = ({ raw: _, rejects: __, ...rest }: Record<string, unknown>) => rest;
      assertEquals(counts(again.facts), counts(facts));
    });
  }

  it("returns the same counts, which add up, for any ranges when lines are nearly valid", async () => {
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
