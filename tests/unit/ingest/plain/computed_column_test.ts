import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { ComputedColumn, ComputedText } from "../../../../lib/ingest/plain/computed_column.ts";
import { viewOf } from "../../../../lib/ingest/plain/bytes.ts";
import { scan, shapeOf } from "./harness.ts";

/** A computation that counts its calls. */
function joined(columns: readonly number[], mark = "+") {
  const seen: string[] = [];
  return {
    columns,
    seen,
    compute({ values }: { values: readonly string[] }): string {
      const text = columns.map((column) => values[column]).join(mark);
      seen.push(text);
      return text;
    },
  };
}

function read({ bytes, begin, end }: ComputedText): string {
  return new TextDecoder().decode(new Uint8Array(bytes.buffer, bytes.byteOffset + begin, end - begin));
}

describe("ComputedColumn", () => {
  it("computes a value once for equal bytes", () => {
    const computation = joined([1]);
    const column = new ComputedColumn(computation, shapeOf(2));
    const values = ["1,Москва", "2,Тула", "3,Москва", "4,"].map((text) => column.get(scan(text)));
    assertEquals(values, ["Москва", "Тула", "Москва", ""]);
    assertEquals(computation.seen, ["Москва", "Тула", ""]);
    column.clear();
    assertEquals([column.get(scan("5,Тула")), computation.seen.length], ["Тула", 4]);
  });

  it("tells combinations of columns apart", () => {
    const computation = joined([0, 1]);
    const column = new ComputedColumn(computation, shapeOf(2));
    assertEquals(["ab,c", "a,bc", "ab,c", ",abc"].map((text) => column.get(scan(text))), [
      "ab+c",
      "a+bc",
      "ab+c",
      "+abc",
    ]);
    assertEquals(computation.seen.length, 3);
  });

  it("computes a value without columns once", () => {
    const computation = joined([]);
    const column = new ComputedColumn(computation, shapeOf(1));
    assertEquals([column.get(scan("a")), column.get(scan("b")), computation.seen.length], ["", "", 1]);
  });
});

describe("ComputedText", () => {
  it("gives texts as raw/ writes them", () => {
    const text = new ComputedText(joined([0, 1], ', "'), shapeOf(2));
    for (let turn = 0; turn < 2; turn++) {
      text.find(scan("a,б"));
      assertEquals(read(text), '"a, ""б"');
    }
  });

  it("asks for the text in bytes first", () => {
    const computation = joined([0]);
    const text = new ComputedText(computation, shapeOf(1));
    const known = viewOf(new TextEncoder().encode("known"));
    text.find(scan("a"), () => known);
    assertEquals([read(text), computation.seen], ["known", []]);
    text.find(scan("b"), () => undefined);
    assertEquals([read(text), computation.seen], ["b", ["b"]]);
  });

  it("computes what is too long to be kept again and again", () => {
    const long = "x".repeat(70_000);
    const computation = { columns: [0], compute: () => long };
    const text = new ComputedText(computation, shapeOf(1));
    for (const line of ["a", "a", long]) {
      text.find(scan(line));
      assertEquals(read(text), long);
    }
  });

  it("forgets when there is too much", () => {
    const text = new ComputedText(joined([0]), shapeOf(1));
    const pad = "y".repeat(3_000);
    for (let index = 0; index < 5_000; index++) {
      text.find(scan(`${pad}${index}`));
      assertEquals(read(text).length, pad.length + String(index).length);
    }
    text.find(scan(`${pad}0`));
    assertEquals(read(text), `${pad}0`);
  });
});
