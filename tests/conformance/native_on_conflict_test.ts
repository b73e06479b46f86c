/** `clean` keeps the last of conflicting sales where raw/ asks for it, for any ranges and threads. */
import { assertEquals, assertRejects } from "@std/assert";
import { afterAll, beforeEach, describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { SalesflowError } from "../../lib/console/errors.ts";
import { cleanAndCheck, sale } from "../unit/clean/harness.ts";
import { makeTestStore, RUN_ID } from "../unit/store/harness.ts";

const { store, remove } = await makeTestStore();
afterAll(remove);
beforeEach(() => store.remove(`runs/${RUN_ID}`));
const last = { on_conflict: "last" };

describe("clean() with on_conflict: last", () => {
  /** A position in file order: the part, then the row. */
  interface Origin {
    part: number;
    row: number;
  }
  const origin = ({ part, row }: Origin) => `part-${String(part).padStart(5, "0")}.csv,${row + 2}`;

  /** Returns what the contract says of parts without converted values; `undefined` is a line that breaks a rule. */
  function expected(parts: readonly (string | undefined)[][]) {
    const lines = parts.flatMap((rows, part) =>
      rows.map((line, row) => ({ line, id: line?.split(",")[0], at: { part, row } }))
    );
    const kept = new Map(lines.filter(({ line }) => line !== undefined).map((line) => [line.id, line]));
    return {
      rows: lines.filter((line) => kept.get(line.id) === line).map(({ line }) => line),
      rejected: lines.flatMap(({ line, id, at }) => {
        if (line === undefined) return [`${origin(at)},malformed_row,"broken"`];
        return line === kept.get(id)!.line ? [] : [`${origin(at)},conflicting_duplicate,"${line}"`];
      }),
    };
  }

  const line = fc.oneof(
    { weight: 8, arbitrary: fc.tuple(fc.integer({ min: 1, max: 12 }), fc.constantFrom("1", "2", "3")) },
    { weight: 1, arbitrary: fc.constant(undefined) },
  ).map((made) => made && sale(made[0], { quantity: made[1] }));
  const parts = fc.array(fc.array(line, { maxLength: 30 }), { minLength: 1, maxLength: 4 })
    .filter((made) => made.some((rows) => rows.length > 0));

  it("keeps the last valid sale of each id, for any ranges and threads", async () => {
    await fc.assert(
      fc.asyncProperty(parts, fc.integer({ min: 10, max: 400 }), async (made, rangeBytes) => {
        const bodies = made.map((rows) => rows.map((row) => row ?? "broken").join("\n"));
        for (const options of [{ workers: 1 }, { workers: 3, rangeBytes }]) {
          const { rows, rejected, facts } = await cleanAndCheck(store, bodies, options, last);
          assertEquals({ rows, rejected }, expected(made));
          assertEquals(facts.on_conflict, "last");
        }
      }),
      { numRuns: 25 },
    );
  });

  it("writes the same bytes with any number of threads", async () => {
    const bodies = Array.from(
      { length: 5 },
      (_, part) =>
        Array.from(
          { length: 60 },
          (_, row) =>
            row % 9 || row < 40 ? sale(row % 40 + 1, { quantity: `${row * part % 3 + 1}.0` }) : "broken",
        ).join("\n"),
    );
    const written = async (workers: number) => {
      const { facts } = await cleanAndCheck(store, bodies, { workers, rangeBytes: 500 }, last);
      const manifest = await store.readText(`runs/${RUN_ID}/clean/manifest.json`);
      // With the checksums of all parts of clean/, and in its facts that of rejected/.
      return { facts, manifest };
    };
    const one = await written(1);
    assertEquals([one.facts.rows_out, Number(one.facts.duplicates) > 20, Number(one.facts.rejected) > 60], [
      40,
      true,
      true,
    ]);
    for (const workers of [2, 3, 5]) assertEquals(await written(workers), one, `${workers} threads`);
  });

  it("numbers the lines of examples as in the file when too many rows are rejected", async () => {
    const bodies = [
      [sale(1), "", sale(1, { quantity: "2" }), sale(2)].join("\n"),
      [sale(3), "broken", sale(1, { quantity: "3" })].join("\n"),
    ];
    for (const rangeBytes of [10, 60, 1 << 20]) {
      const error = await assertRejects(
        () => cleanAndCheck(store, bodies, { maxRejected: 0, rangeBytes }, last),
        SalesflowError,
        "malformed_row 1, conflicting_duplicate 2",
      );
      const { examples } = error.evidence as { examples: { file: string; line: number; raw: string }[] };
      assertEquals(examples.map(({ file, line, raw }) => `${file}:${line} ${raw}`), [
        "part-00001.csv:3 broken",
        `part-00000.csv:2 ${sale(1)}`,
        `part-00000.csv:4 ${sale(1, { quantity: "2" })}`,
      ]);
    }
  });

  it("fails when raw/manifest.json asks for anything else", async () => {
    await assertRejects(
      () => cleanAndCheck(store, [sale(1)], {}, { on_conflict: "newest" }),
      SalesflowError,
      'on_conflict in raw/manifest.json of run test is "newest"',
    );
  });
});
