import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { RawLines } from "../../../../lib/ingest/chunks/raw_lines.ts";
import { viewOf } from "../../../../lib/ingest/plain/bytes.ts";
import { ComputedColumn, ComputedText } from "../../../../lib/ingest/plain/computed_column.ts";
import { IdText } from "../../../../lib/ingest/plain/id_text.ts";
import {
  CustomerColumn,
  DateColumn,
  ExpressionColumn,
  NumberColumn,
  type PlainColumn,
  ProductColumn,
  SaleIdColumn,
  TextColumn,
} from "../../../../lib/ingest/plain/plain_columns.ts";
import { PlainDate } from "../../../../lib/ingest/plain/plain_date.ts";
import { type Found, nothingFound } from "../../../../lib/ingest/source/record_mapper.ts";
import { DateReader } from "../../../../lib/ingest/values/date_text.ts";
import { parseExpression } from "../../../../lib/ingest/values/expression.ts";
import { toSurrogateKey } from "../../../../lib/ingest/values/ids.ts";
import type { NumberStyle } from "../../../../lib/ingest/values/number_text.ts";
import { headerOf, scan, shapeOf } from "./harness.ts";

const COMMAS: NumberStyle = { decimal: ",", thousands: "." };

/** Writes a line's value; undefined when it must be read as text. */
function write(column: PlainColumn, text: string): string | undefined {
  const line = scan(text);
  if (!column.prepare(line)) return undefined;
  const raw = new RawLines();
  column.write(line, raw);
  return new TextDecoder().decode(raw.toBytes());
}

/** The first column in capitals, computed as text. */
function capitals(width = 1): ComputedText {
  const compute = ({ values }: { values: readonly string[] }) => values[0]!.toUpperCase();
  return new ComputedText({ columns: [0], compute }, shapeOf(width));
}

describe("TextColumn", () => {
  it("writes what was computed", () => {
    const column = new TextColumn(capitals(), false);
    assertEquals([write(column, "север"), write(column, '"a,b"'), write(column, "-1")], [
      "СЕВЕР",
      '"A,B"',
      "-1",
    ]);
  });

  it("leaves a negative number to be read as text: it is a return", () => {
    const column = new TextColumn(capitals(), true);
    assertEquals([write(column, "x1"), write(column, "-1")], ["X1", undefined]);
  });
});

describe("NumberColumn", () => {
  it("copies plain numbers, and computes others", () => {
    const column = new NumberColumn(0, undefined, capitals());
    assertEquals(["7", "12.5", "12.55", "1.555x", "1.555"].map((text) => write(column, text)), [
      "7",
      "12.5",
      "12.55",
      "1.555X",
      "1.555",
    ]);
    assertEquals(write(column, "-7"), undefined);
  });

  it("takes a point for no decimal mark when that is a comma", () => {
    const computed = new ComputedText({ columns: [0], compute: () => "computed" }, shapeOf(1));
    const column = new NumberColumn(0, COMMAS, computed);
    assertEquals([write(column, "7"), write(column, "1.234")], ["7", "computed"]);
  });
});

describe("ExpressionColumn", () => {
  function evaluate(text: string, formula: string, style?: NumberStyle, hasDefault = false) {
    const expression = parseExpression(formula);
    const columns = expression.columns.map((name) => headerOf(3).find(name)!);
    return write(new ExpressionColumn(expression, { columns, style }, shapeOf(3), hasDefault), text);
  }
  const formula = "[A] * [B] - [C]";

  it("evaluates exactly, and rounds once", () => {
    assertEquals(evaluate("10.005,2,", formula), "20.01");
    assertEquals(evaluate("0.1,3,0.3", formula), "0.00");
    assertEquals(evaluate("1.005,1,", formula), "1.01");
    assertEquals(evaluate("30000000,3,1", formula), "89999999.00");
    assertEquals(evaluate("0.07,1,", formula), "0.07");
  });

  it("reads numbers as the export writes them", () => {
    assertEquals(evaluate('$10.50,2 pcs,"1 000.00 руб."', "[A] * [B] + [C]"), "1021.00");
    assertEquals(evaluate('"1.234,5",2,', formula, COMMAS), "2469.00");
  });

  it("leaves the rest to be read as text", () => {
    for (const text of ["x,2,", "1,2,3", "-1,2,", "999999999999999,999999999999999,"]) {
      assertEquals(evaluate(text, formula), undefined);
    }
    assertEquals([evaluate(",,", formula, undefined, true), evaluate(",,", formula)], [undefined, "0.00"]);
    assertEquals(evaluate("1,2,", "[A] / [B]"), undefined);
  });
});

describe("DateColumn", () => {
  it("writes plain dates, and computes others", () => {
    const column = new DateColumn(0, new PlainDate(new DateReader({ formats: ["dd.MM.yyyy"] })), capitals());
    assertEquals([write(column, "16.11.2026"), write(column, "16 nov 2026")], ["2026-11-16", "16 NOV 2026"]);
  });
});

/** Collects the texts of surrogate keys. */
function collector(): { texts: string[]; onKey: (key: { digits: Uint8Array }, text: Uint8Array) => void } {
  const texts: string[] = [];
  const decoder = new TextDecoder();
  return {
    texts,
    onKey: ({ digits }, text) => {
      assertEquals(decoder.decode(digits), toSurrogateKey(decoder.decode(text)).digits);
      texts.push(decoder.decode(text));
    },
  };
}

const ID = IdText.compile({ kind: "column", column: "A" }, headerOf(1), true)!;

describe("SaleIdColumn", () => {
  it("keeps numbers, and makes other texts surrogate keys, which are told of", () => {
    const { texts, onKey } = collector();
    const column = new SaleIdColumn(ID, onKey);
    const ids = ["17", "#1001", "Заказ", "000123", "123456789012345678", "1.2-3"];
    const numbers = ids.map((text) => /^\d+$/.test(text) ? text : toSurrogateKey(text).digits);
    assertEquals(ids.map((text) => write(column, text)), numbers);
    assertEquals(texts, ["#1001", "Заказ", "1.2-3"]);
  });

  it("leaves long numbers and those with decimals to be read as text, and tells of nothing", () => {
    const { texts, onKey } = collector();
    const column = new SaleIdColumn(ID, onKey);
    for (const text of ["1234567890123456789", "17850.0", "1.2.3", '""']) {
      assertEquals(write(column, text), undefined);
    }
    assertEquals(texts, []);
  });
});

describe("CustomerColumn", () => {
  it("tells of each text once, also of those that are computed", () => {
    const { texts, onKey } = collector();
    const column = new CustomerColumn(capitals(), ID, onKey);
    const a = toSurrogateKey("a@x").digits;
    assertEquals(["a@x", "17", "a@x", "17.0x", '" b"'].map((text) => write(column, text)), [
      a,
      "17",
      a,
      toSurrogateKey("17.0x").digits,
      " B",
    ]);
    assertEquals(texts, ["a@x", "17.0x"]);
  });
});

describe("ProductColumn", () => {
  function products(found: Found) {
    const compute = ({ values: [sku, name] }: { values: readonly string[] }) => ({
      id: sku!.length.toString(),
      sku: sku!,
      name: name!,
      category: "",
      view: viewOf(new TextEncoder().encode(sku!.length.toString())),
      found: undefined,
      taken: -1,
    });
    return new ProductColumn(new ComputedColumn({ columns: [0, 1], compute }, shapeOf(2)), found);
  }

  it("collects products with their last name, again after they were taken", () => {
    const found = nothingFound();
    const column = products(found);
    const names = () => [...found.products].map(([sku, { current }]) => `${sku}=${current.name}`);
    const ids = ["A,Mug", "BB,Pan", "A,Blue mug", "A,", "A,Mug", ",none"].map((text) => write(column, text));
    assertEquals(ids, ["1", "2", "1", "1", "1", "0"]);
    assertEquals(names(), ["A=Mug", "BB=Pan"]);
    found.products.clear();
    found.taken++;
    write(column, "A,Mug");
    write(column, "A,Blue mug");
    assertEquals(names(), ["A=Blue mug"]);
  });
});
