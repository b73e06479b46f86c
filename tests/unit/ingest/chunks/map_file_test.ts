import { assert, assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import type { ChunkResult, ChunkTask, MappedChunk } from "../../../../lib/ingest/chunks/chunk.ts";
import { FileMapper } from "../../../../lib/ingest/chunks/map_file.ts";
import { sourceOfMap } from "../../../../lib/ingest/source/column_copier.ts";
import type { LentWorker } from "../../../../lib/workers/lending_pool.ts";
import { SALE_COLUMNS } from "../../../../lib/domain/sale.ts";
import { FakePool, mapFile, rulesOf, toChunks } from "./harness.ts";

const RULES = rulesOf(`version: 1
fill_down: {columns: [Status, Region], within: Order}
only: [{column: Status, in: [paid], name: unpaid}]
columns:
  sale_id: {join: [Order, {line_within: Order}], with: "-"}
  customer_id: {join: [Region, {line_within: Region}]}
  product_id: Sku
  quantity: Qty
  sale_date: Date
  sale_amount: Sum
  region: Region
  product_name: Name
`);
/** No record of these depends on lines above it. */
const INDEPENDENT_RULES = rulesOf(`version: 1
only: [{column: Status, in: [paid], name: unpaid}]
columns:
  sale_id: {join: [Order, Sku], with: "-"}
  customer_id: Name
  product_id: Sku
  quantity: Qty
  sale_date: Date
  sale_amount: Sum
  region: Region
  product_name: Name
`);
const HEADER = ["Order", "Status", "Sku", "Name", "Qty", "Date", "Sum", "Region"];
const COPY_RULES = { source: sourceOfMap({}, undefined), lookups: [], copies: true };

const quote = (text: string) => `"${text.replaceAll('"', '""')}"`;

/** Lines of an export of orders, in the order of the header; a list is a record, and a text stands as it is. */
type Lines = string[] | string;
const record = fc.tuple(
  fc.constantFrom("1", "2", "3"),
  fc.constantFrom("paid", "", "open"),
  fc.constantFrom("A", "B", "7"),
  fc.constantFrom("Mug", "", quote("a\nb,c"), quote('x\r\n\n"y"\n'), '"27 inch', quote('"'), 'TV 27"', "д"),
  fc.constantFrom("1", "-1"),
  fc.constant("2026-11-24"),
  fc.constantFrom("1.10", "-2.00", "x"),
  fc.constantFrom("North", "", "Юг"),
);
const lines: fc.Arbitrary<Lines> = fc.oneof(
  { arbitrary: record, weight: 8 },
  fc.constantFrom("", "  ", "1,2", "1,2,3,4,5,6,7,8,9,10", "Total,,,,,,9.99,", '"', '1,"', ',,,",', "\ufeff"),
);
/** Lines below a header in an order of its own. */
const section = fc.record({
  order: fc.shuffledSubarray(HEADER, { minLength: HEADER.length }),
  mark: fc.constantFrom("", "\ufeff"),
  lines: fc.array(lines, { maxLength: 12 }),
});
const ends = fc.constantFrom("\n", "\r\n");

function toText(
  header: readonly string[],
  order: readonly string[],
  all: readonly Lines[],
  end: string,
): string {
  const write = (line: Lines) =>
    typeof line === "string" ? line : order.map((name) => line[header.indexOf(name)]!).join(",");
  return all.map((line) => write(line) + end).join("");
}

const orders = fc.tuple(
  fc.array(lines, { maxLength: 12 }),
  fc.array(section, { maxLength: 3 }),
  ends,
  fc.boolean(),
)
  .map(([first, sections, end, isCut]) => {
    const text = toText(HEADER, HEADER, first, end) +
      sections.map(({ order, mark, lines }) =>
        mark + order.join(",") + end + toText(HEADER, order, lines, end)
      ).join("");
    return isCut ? text.replace(/\r?\n$/, "") : text;
  });

const plain = fc.tuple(
  fc.constantFrom("1", "2", "x", " 3"),
  ...SALE_COLUMNS.slice(1).map(() =>
    fc.constantFrom("1", "", " ", "Юг", '"a,b"', '"a\nb"', '"', "\r", "\ufffd")
  ),
);
const copied = fc.tuple(
  fc.array(fc.oneof({ arbitrary: fc.constant("1,2,3,4,2026-11-24,6.00,N"), weight: 4 }, plain.map(String)), {
    maxLength: 20,
  }),
  fc.shuffledSubarray([...SALE_COLUMNS], { minLength: SALE_COLUMNS.length }),
  ends,
).map(([all, order, end]) => {
  const half = Math.ceil(all.length / 2);
  return [...all.slice(0, half), order.join(","), ...all.slice(half)].join(end);
});

const cuts = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 5 });

describe("FileMapper", () => {
  for (
    const [what, texts, rules, header] of [
      ["orders by rules", orders, RULES, HEADER],
      ["orders by rules that look at one line", orders, INDEPENDENT_RULES, HEADER],
      ["copied columns", copied, COPY_RULES, [...SALE_COLUMNS]],
    ] as const
  ) {
    it(`maps ${what} to the same, whatever the chunks and the threads`, async () => {
      await fc.assert(
        fc.asyncProperty(texts, cuts, fc.integer({ min: 1, max: 4 }), fc.scheduler(), async (
          text,
          cuts,
          threads,
          scheduler,
        ) => {
          const whole = await mapFile(toChunks(text, []), header, new FakePool(rules, 1));
          const { records, blank, inside } = whole.summary.counts;
          const excluded = whole.excluded.values().reduce((sum, { lines }) => sum + lines, 0);
          assertEquals(whole.rows + excluded, records);
          const lineEnds = text.split("\n").length - (text === "" || text.endsWith("\n") ? 1 : 0);
          assertEquals(records + blank + inside, lineEnds);
          assertEquals(whole.raw.split("\n").length - 1, lineEnds);
          const pool = new FakePool(rules, threads, scheduler);
          const inChunks = await scheduler.waitFor(mapFile(toChunks(text, cuts), header, pool));
          assertEquals(inChunks, whole);
        }),
        { numRuns: 300 },
      );
    });
  }

  it("counts lines from the beginning of the file, header included", async () => {
    const text = "1,paid,A,x,1,2026-11-24,1.00,N\n\n2,open,A,x,1,2026-11-24,2.50,N\n" +
      '3,paid,A,"a\nb",1,2026-11-24,1.00,N\n4,paid,A,"27 inch,1,2026-11-24,1.00,N\n5,open,A,x,1,2026-11-24,1.00,N\n';
    for (const cuts of [[], [1]]) {
      const { excluded, summary, rows } = await mapFile(toChunks(text, cuts), HEADER, new FakePool(RULES, 2));
      assertEquals([...excluded], [["unpaid", { lines: 2, cents: 350n, firstLine: 4 }]]);
      assertEquals(summary, {
        counts: { records: 5, blank: 1, inside: 1 },
        remarks: [{ kind: "spans", line: 5, lastLine: 6 }, { kind: "lone", line: 7, lastLine: 7 }],
        hasInvalidBytes: false,
      });
      assertEquals(rows, 3);
    }
  });

  it("parses a chunk again only when it does not begin as supposed", async () => {
    const row = "1,paid,A,x,1,2026-11-24,1.00,N\n";
    const pool = new FakePool(RULES, 1);
    await mapFile(toChunks(row.repeat(3), [1]), HEADER, pool);
    assertEquals(pool.steps.filter((step) => step === "parse again").length, 0);
    await mapFile(toChunks(row + row.replace("x", '"x\ny"') + row, [2, 1, 1]), HEADER, pool);
    assertEquals(pool.steps.filter((step) => step === "parse again").length, 1);
  });

  it("remembers the header of the chunk before as the likely one", async () => {
    const order = HEADER.toReversed();
    const row = "N,1.00,2026-11-24,1,x,A,paid,1\n";
    const pool = new FakePool(RULES, 1);
    const { rows } = await mapFile(toChunks(`${order}\n${row.repeat(3)}`, [1]), HEADER, pool);
    assertEquals([rows, pool.steps.includes("parse again")], [3, false]);
  });

  /** Runs each step by a function, in one thread. */
  function threadOf(
    run: (step: ChunkTask["step"]) => Promise<void>,
  ): () => Promise<LentWorker<ChunkTask, ChunkResult>> {
    const pool = new FakePool(RULES, 1);
    return async () => {
      const thread = await pool.lend();
      return {
        ...thread,
        run: async (task, options) => (await run(task.step), await thread.run(task, options)),
      };
    };
  }

  const row = "1,paid,A,x,1,2026-11-24,1.00,N\n";
  const failures: [where: string, failing: ChunkTask["step"] | "write"][] = [
    ["parsing", "parse"],
    ["mapping", "map"],
    ["writing", "write"],
  ];
  for (const [where, failing] of failures) {
    it(`close() throws the error of ${where}, of which the pool is told, and nothing is written behind it`, async () => {
      const told: unknown[] = [];
      const written: MappedChunk[] = [];
      let steps = 0;
      const failSecond = (step: string) =>
        step === failing && ++steps === 2 ? Promise.reject(new Error("broken")) : Promise.resolve();
      const lend = threadOf(failSecond);
      const write = async (chunk: MappedChunk) => {
        await failSecond("write");
        written.push(chunk);
      };
      const { promise: failed, reject } = Promise.withResolvers<never>();
      failed.catch(() => {});
      const fail = (error: unknown) => {
        told.push(error);
        reject(error);
      };
      const mapper = new FileMapper(
        { threads: 1, lend: () => Promise.race([lend(), failed]), fail, write },
        HEADER,
        1,
      );
      const error = await assertRejects(
        async () => {
          for (const chunk of toChunks(row.repeat(20), [1])) await mapper.add(chunk);
          await mapper.close();
        },
        Error,
        "broken",
      );
      assert(told.length > 0 && told.every((each) => each === error));
      assertEquals(written.length, 1);
    });
  }

  it("add() waits when many chunks are not yet written", async () => {
    const mayWrite = Promise.withResolvers<void>();
    const pool = new FakePool(RULES, 3);
    let [added, written] = [0, 0];
    const write = async () => {
      await mayWrite.promise;
      written++;
    };
    const mapper = new FileMapper({ threads: 1, lend: () => pool.lend(), fail() {}, write }, HEADER, 1);
    const adding = (async () => {
      for (const chunk of toChunks(row.repeat(50), [1])) {
        await mapper.add(chunk);
        added++;
      }
    })();
    // Long enough for all chunks, if nothing held them up.
    for (let turn = 0; turn < 200; turn++) await new Promise((next) => setTimeout(next, 0));
    assert(added < 10, `${added} chunks wait`);
    mayWrite.resolve();
    await adding;
    await mapper.close();
    assertEquals(written, 50);
  });
});
