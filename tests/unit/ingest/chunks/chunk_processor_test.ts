import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type {
  ChunkContent,
  ChunkState,
  MappedChunk,
  ParsedChunk,
  TextFormat,
} from "../../../../lib/ingest/chunks/chunk.ts";
import { ChunkProcessor } from "../../../../lib/ingest/chunks/chunk_processor.ts";
import type { MappingRules } from "../../../../lib/ingest/chunks/mapper_set.ts";
import { sourceOfMap } from "../../../../lib/ingest/source/column_copier.ts";
import { toSurrogateKey } from "../../../../lib/ingest/values/ids.ts";
import { SALE_COLUMNS, SALE_HEADER } from "../../../../lib/domain/sale.ts";
import { joinBytes } from "../../store/harness.ts";
import { CSV, readSurrogates, rulesOf } from "./harness.ts";

const COPY: MappingRules = { source: sourceOfMap({}, undefined), lookups: [], copies: true };
const RULES = rulesOf(`version: 1
fill_down: {columns: [City], within: Order}
columns:
  sale_id: {join: [Order, {line_within: Order}], with: "-"}
  customer_id: {value: "1"}
  product_id: Sku
  quantity: {value: "1"}
  sale_date: {value: 2026-11-24}
  sale_amount: Sum
  region: City
`);
const HEADER = ["Order", "Sku", "Sum", "City"];
const SEEDS = [1, 2, 3] as const;

function textOf(
  content: string | Uint8Array,
  { format = CSV, isLast = true }: { format?: TextFormat; isLast?: boolean } = {},
): ChunkContent {
  return { kind: "text", format, bytes: Uint8Array.from(joinBytes([content])), isLast };
}

function parse(
  processor: ChunkProcessor,
  content: ChunkContent,
  state: Partial<ChunkState> = {},
): ParsedChunk {
  const before = { rest: "", header: SALE_COLUMNS, ...state };
  return processor.run({ step: "parse", content, state: before }) as ParsedChunk;
}

function map(
  processor: ChunkProcessor,
  numbers: readonly number[][] = [],
  fill?: { rows: string[][]; indexes: number[] },
): MappedChunk & { raw: string } {
  return withRaw(
    processor.run({
      step: "map",
      numbers: numbers.map((each) => Uint32Array.from(each)),
      fill: fill && { rows: fill.rows, indexes: Uint32Array.from(fill.indexes) },
    }) as MappedChunk,
  );
}

function withRaw(mapped: MappedChunk): MappedChunk & { raw: string } {
  return { ...mapped, raw: new TextDecoder().decode(mapped.bytes) };
}

/** Parses and maps a chunk of copied columns. */
function copy(content: ChunkContent, state: Partial<ChunkState> = {}) {
  const processor = new ChunkProcessor({ rules: COPY, seeds: SEEDS });
  const { mapped, ...parsed } = parse(processor, content, state);
  return { parsed, mapped: withRaw(mapped!) };
}

const ROW = "1,2,3,4,2026-11-24,6.00,Север";

describe("ChunkProcessor", () => {
  const cp1251: TextFormat = { ...CSV, encoding: "windows-1251" };
  const semicolons: TextFormat = { ...CSV, dialect: { delimiter: ";", quote: "csv" } };
  const north1251 = Uint8Array.of(0xd1, 0xe5, 0xe2, 0xe5, 0xf0);
  const same: [what: string, content: ChunkContent, header?: readonly string[]][] = [
    ["rows in the form of raw/, which are copied", textOf(`${ROW}\n`)],
    ["CR LF", textOf(`${ROW}\r\n`)],
    ["no line end", textOf(ROW)],
    ["quotes", textOf(`"1",2,3,4,2026-11-24,6.00,"Север"\n`)],
    ["semicolons", textOf(`${ROW.replaceAll(",", ";")}\n`, { format: semicolons })],
    ["windows-1251", textOf(joinBytes(["1,2,3,4,2026-11-24,6.00,", north1251, "\n"]), { format: cp1251 })],
    ["other columns", textOf(`x,${ROW}\n`), ["note", ...SALE_COLUMNS]],
    ["columns in another order", textOf(`${ROW.split(",").reverse()}\n`), SALE_COLUMNS.toReversed()],
    ["a byte order mark", textOf(`\ufeff${ROW}\n`)],
    ["the rest of a chunk before", textOf(`${ROW.slice(5)}\n`)],
    [
      "JSON lines",
      textOf(
        `{"sale_id":1,"customer_id":2,"product_id":3,"quantity":4,"sale_date":"2026-11-24","sale_amount":"6.00","region":"Север"}\n`,
        { format: { type: "jsonl", decimal: "." } },
      ),
    ],
    ["records", { kind: "records", records: [{ values: ROW.split(","), line: 1 }], lines: 1 }],
  ];
  for (const [what, content, header = SALE_COLUMNS] of same) {
    it(`reads ${what}`, () => {
      const rest = what.startsWith("the rest") ? ROW.slice(0, 5) : "";
      const { parsed, mapped } = copy(content, { header, rest });
      assertEquals(mapped.raw, `${ROW}\n`);
      assertEquals(parsed, {
        state: { rest: "", header },
        counts: { records: 1, blank: 0, inside: 0 },
        keys: [],
        fill: undefined,
        remarks: [],
        hasInvalidBytes: false,
      });
      assertEquals(mapped.rows, 1);
    });
  }

  it("counts lines by what they are, and keeps their number", () => {
    const text = `\n${ROW}\n  \n1,"a\nb",3,4,2026-11-24,6.00,N\n1,2\n${SALE_HEADER}\n${ROW}\n\n`;
    const { parsed: { counts, remarks }, mapped: { raw, rows, excluded } } = copy(textOf(text));
    assertEquals(counts, { records: 5, blank: 3, inside: 1 });
    assertEquals(raw, `\n${ROW}\n\n1,a b,3,4,2026-11-24,6.00,N\n\n"1,2"\n\n${ROW}\n\n`);
    assertEquals([rows, [...excluded]], [4, [["header", { lines: 1, cents: 0n, firstLine: 7 }]]]);
    assertEquals(remarks, [{ kind: "spans", line: 4, lastLine: 5 }]);
  });

  it("leaves the incomplete record at the end of a chunk to the next one, and reads nothing twice", () => {
    const content = textOf(`${ROW}\n1,"a\n`, { isLast: false });
    const { parsed, mapped } = copy(content);
    assertEquals([parsed.state.rest, parsed.counts], ['1,"a\n', { records: 1, blank: 0, inside: 0 }]);
    assertEquals(mapped.raw, `${ROW}\n`);
    const next = copy(textOf('b",3,4,2026-11-24,6.00,N,\n'), { rest: '1,2,"a\n' });
    assertEquals(next.parsed.counts, { records: 1, blank: 0, inside: 1 });
    const last = copy(textOf(""), { rest: '1,"a\n' });
    assertEquals([last.mapped.raw, last.mapped.rows], ['"1,""a"\n', 1]);
    assertEquals(last.parsed.remarks, [{ kind: "lone", line: 1, lastLine: 1 }]);
  });

  it("reads records below a header by that header, and leaves it to the next chunk", () => {
    const order = SALE_COLUMNS.toReversed();
    const { parsed, mapped } = copy(textOf(`${ROW}\n${order}\n${ROW.split(",").reverse()}\n`));
    assertEquals([parsed.state.header, mapped.raw], [order, `${ROW}\n\n${ROW}\n`]);
  });

  it("parses a chunk again with the state that there was", () => {
    const processor = new ChunkProcessor({ rules: COPY, seeds: SEEDS });
    assertEquals(parse(processor, textOf(`${ROW}\n`)).counts.records, 1);
    const order = SALE_COLUMNS.toReversed();
    const again = processor.run({ step: "parse again", state: { rest: "\n", header: order } }) as ParsedChunk;
    assertEquals(withRaw(again.mapped!).raw, `\n${ROW.split(",").reverse()}\n`);
  });

  const damaged: [what: string, content: ChunkContent, isDamaged: boolean][] = [
    ["valid bytes", textOf(`${ROW}\n`), false],
    ["invalid bytes", textOf(joinBytes(["1,2,3,4,2026-11-24,6.00,", Uint8Array.of(0xff), "\n"])), true],
    ["what was replaced when the text was transcoded", textOf(`${ROW}\ufffd\n`), true],
    [
      "undefined bytes",
      textOf(joinBytes([ROW.slice(0, -5), Uint8Array.of(0x81), "\n"]), {
        format: { ...CSV, encoding: "euc-kr" },
      }),
      true,
    ],
  ];
  for (const [what, content, isDamaged] of damaged) {
    it(`reports ${isDamaged ? "" : "no "}invalid bytes for ${what}`, () => {
      assertEquals(copy(content).parsed.hasInvalidBytes, isDamaged);
    });
  }

  it("gives keys and values to fill of the records with values, and maps by what they become", () => {
    const processor = new ChunkProcessor({ rules: RULES, seeds: SEEDS });
    const text = "7,A,1.00,North\nbroken\n 7 ,9,-1.00,\nOrder,Sku,Sum,City\n8,A,x,\n";
    const { keys, fill } = parse(processor, textOf(text), { header: HEADER });
    const [{ low, high }] = keys as [ParsedChunk["keys"][number]];
    assertEquals([low.length, low[0] === low[1], high[0] === high[1]], [4, true, true]);
    assertEquals([low[0] === low[3], high[0] === high[3]], [false, false]);
    assertEquals(fill!.rows, [["North"], [""], ["City"]]);
    assertEquals([...fill!.indexes], [0, 1, 2, 1]);
    const mapped = map(processor, [[1, 2, 1, 9]], { rows: [["South"], ["West"]], indexes: [0, 1, 1, 1] });
    const [first, last, sku] = ["7-1", "8-9", "A"].map((text) => toSurrogateKey(text).digits);
    assertEquals(
      mapped.raw,
      `${first},1,${sku},1,2026-11-24,1.00,South\n"broken"\n\n\n${last},1,${sku},1,2026-11-24,x,West\n`,
    );
    assertEquals([...mapped.excluded], [
      ["return", { lines: 1, cents: -100n, firstLine: 3 }],
      ["header", { lines: 1, cents: 0n, firstLine: 4 }],
    ]);
    assertEquals(mapped.products.added, [{ id: `${sku}`, sku: "A", name: "", category: "" }]);
    const surrogates = readSurrogates(mapped.surrogates);
    for (const [key, text] of surrogates) assertEquals(key, toSurrogateKey(text).digits);
    assertEquals(new Set(surrogates.map(([, text]) => text)), new Set(["7-1", "8-9", "A"]));
  });

  it("copies our own columns under each other's names, too", () => {
    const source = sourceOfMap({ customer_id: "product_id", product_id: "customer_id" }, undefined);
    const processor = new ChunkProcessor({ rules: { ...COPY, source }, seeds: SEEDS });
    const { mapped } = parse(processor, textOf("1,22,333,4,2026-11-24,6.00,North\n"), {
      header: [...SALE_COLUMNS],
    });
    assertEquals(withRaw(mapped!).raw, "1,333,22,4,2026-11-24,6.00,North\n");
  });

  it("hashes keys by the seeds, so that nobody can choose keys that collide", () => {
    const keysOf = (seeds: readonly [number, number, number]) =>
      parse(new ChunkProcessor({ rules: RULES, seeds }), textOf("7,A,1.00,N\n"), { header: HEADER }).keys[0]!;
    const [one, other] = [keysOf([1, 2, 0]), keysOf([3, 4, 0])];
    assertEquals([one.low[0] === other.low[0], one.high[0] === other.high[0]], [false, false]);
    assertEquals(one.low[0] === one.high[0], false);
  });

  it("gives what was found once", () => {
    const processor = new ChunkProcessor({ rules: RULES, seeds: SEEDS });
    for (const count of [1, 0]) {
      parse(processor, textOf(count ? "A,A,-1.00,N\nB,B,1.00,N\n" : ""), { header: HEADER });
      const mapped = map(processor, [[1, 1]], { rows: [["N"]], indexes: [0, 0] });
      assertEquals([mapped.excluded.size, mapped.products.numbers.length], [count, count]);
      assertEquals(mapped.surrogates.ends.length > 0, count === 1);
    }
  });
});
