import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { JsonLinesReader, listMembers } from "../../../../lib/ingest/formats/json_lines.ts";
import type { DecimalMark } from "../../../../lib/ingest/formats/plain_number.ts";

type Seen = [values: string[] | string, line: number];

/** Reads a whole text; what is no object is given as its text. */
function read(
  text: string,
  columns: readonly string[],
  { decimal = ".", isLast = true }: { decimal?: DecimalMark; isLast?: boolean } = {},
): { records: Seen[]; rest: string; line: number } {
  const records: Seen[] = [];
  const end = new JsonLinesReader(columns, { decimal }).read(text, 1, isLast, (values, text, line, lines) => {
    assertEquals(lines, 1);
    records.push([values ?? text, line]);
  });
  return { records, ...end };
}

/** Returns the values of one line. */
function values(line: string, columns: readonly string[], decimal: DecimalMark = "."): string[] | string {
  return read(line, columns, { decimal }).records[0]![0];
}

describe("JsonLinesReader", () => {
  it("reads lines, whatever their ends, and leaves blank ones out", () => {
    assertEquals(read('\ufeff{"a":1}\r\n\r\n{"a":2}\n \n\ufeff{"a":3}', ["a"]).records, [
      [["1"], 1],
      [["2"], 3],
      [["3"], 5],
    ]);
  });

  it("gives the values of the wanted members, in their order", () => {
    assertEquals(values('{"b":"x","a":1,"c":true,"d":null,"f":false}', ["a", "b", "c", "d", "e", "f"]), [
      ...["1", "x", "true", "", "", "false"],
    ]);
  });

  it("names members of members with points, also where a name has one itself", () => {
    assertEquals(
      values('{"order":{"id":"A","at":{"day":1}},"item.sku":"K"}', ["order.id", "order.at.day", "item.sku"]),
      [
        ...["A", "1", "K"],
      ],
    );
    assertEquals(values('{"a":{"b.c":{"d":1}},"a.b":{"c":{"e":2}}}', ["a.b.c.d", "a.b.c.e"]), ["1", "2"]);
    assertEquals(values('{"order":{"id":1},"order.id":2}', ["order.id"]), ["2"]);
    assertEquals(values('{"order":"none"}', ["order.id", "order"]), ["", "none"]);
  });

  it("compares names without case and surrounding blanks", () => {
    assertEquals(values('{" Order":{"ID ":1,"Line\\u00a0No":2}}', ["order.id", "order.line no"]), ["1", "2"]);
  });

  it("takes the last of members with one name", () => {
    assertEquals(values('{"a":1,"A":2,"a":3}', ["a"]), ["2"]);
    assertEquals(values('{"a":1,"a":2}', ["a"]), ["2"]);
    assertEquals(values('{"o":{"a":1},"O":{"a":2}}', ["o.a"]), ["2"]);
  });

  it("writes objects and arrays as JSON", () => {
    assertEquals(values('{"a":[1,"x",{"b":null}],"o":{"p":1}, "e":[]}', ["a", "o", "o.p", "e"]), [
      ...['[1,"x",{"b":null}]', '{"p":1}', "1", "[]"],
    ]);
    assertEquals(values('{"a":[12345678901234567890, 0.10]}', ["a"]), ["[12345678901234567890,0.10]"]);
  });

  const numbers: [source: string, text: string][] = [
    ["21", "21"],
    ["-0", "0"],
    ["0.00", "0"],
    ["21.0", "21"],
    ["21.00", "21"],
    ["0.10", "0.10"],
    ["-100.50", "-100.50"],
    ["10.050", "10.050"],
    ["2.1e1", "21"],
    ["1.50e3", "1500"],
    ["1e-7", "0.0000001"],
    ["0.30000000000000004", "0.30000000000000004"],
    ["9007199254740993", "9007199254740993"],
    ["12345678901234567890", "12345678901234567890"],
    ["-12345678901234567890", "-12345678901234567890"],
    ["12345678901234567890.00", "12345678901234567890"],
    ["1.00000000000000000001", "1.00000000000000000001"],
    ["123456789.123456789", "123456789.123456789"],
    ["100000000000000000000000", "100000000000000000000000"],
    ["1e400", "Infinity"],
  ];
  for (const [source, text] of numbers) {
    it(`writes the number ${source} as ${text}`, () => {
      assertEquals(values(`{"a":${source}}`, ["a"]), [text]);
      assertEquals(values(`{ "a" :\t ${source} , "b":{"c":[${source}]}}`, ["a"]), [text]);
      assertEquals(values(`{"a":${source}}`, ["a"], ","), [text.replace(".", ",")]);
    });
  }

  it("writes decimal texts as they are, whatever the mark", () => {
    assertEquals(values('{"a":"10.50","b":10.5}', ["a", "b"], ","), ["10.50", "10,5"]);
  });

  it("writes numbers as JavaScript does when nothing is lost", () => {
    fc.assert(fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (number) => {
      const [text] = values(JSON.stringify({ a: number }), ["a"]) as string[];
      assertEquals(Number(text), number === 0 ? 0 : number);
    }));
  });

  it("gives a line that is no object as its text", () => {
    const lines = [
      "[1]",
      "1",
      '"x"',
      "null",
      "oops",
      '{"a":1',
      '{"a":1}{"a":2}',
      "{'a':1}",
      "[".repeat(1e6),
      "true",
    ];
    assertEquals(read(lines.join("\n"), ["a"]).records.map(([values]) => values), lines);
    const big = "12345678901234567890";
    assertEquals(values(big, ["a"]), big);
  });

  it("reads deep objects, or gives them as their text when they are too deep, without an error", () => {
    const nest = (value: string) => `{"b":1,"a":${"[".repeat(100_000)}${value}${"]".repeat(100_000)}}`;
    assertEquals(values(nest("1"), ["b"]), ["1"]);
    const [deep] = values(nest("1"), ["a"]);
    assert(deep === "{" || deep!.startsWith("[["), "neither its text nor its value");
    assert(values(nest("0.10"), ["b"]) === nest("0.10"));
  });

  it("is not harmed by members that objects have of themselves", () => {
    assertEquals(
      values('{"__proto__":{"polluted":"yes"},"constructor":{"prototype":{"polluted":"yes"}}}', ["polluted"]),
      [
        "",
      ],
    );
    assertEquals(values('{"__proto__":{"id":7},"toString":8}', ["__proto__.id", "tostring", "valueof"]), [
      "7",
      "8",
      "",
    ]);
    assertEquals(({} as Record<string, unknown>).polluted, undefined);
  });

  it("keeps its memory when every line has other names", () => {
    const lines = Array.from({ length: 20_000 }, (_, index) => `{"day ${index}":1,"a":${index}}`);
    assertEquals(read(lines.join("\n"), ["a"]).records.at(-1), [["19999"], 20_000]);
  });

  it("leaves the line that the text cuts off", () => {
    assertEquals(read('{"a":1}\n{"a":', ["a"], { isLast: false }), {
      records: [[["1"], 1]],
      rest: '{"a":',
      line: 2,
    });
    assertEquals(read('{"a":1}\n', ["a"]), { records: [[["1"], 1]], rest: "", line: 2 });
  });

  it("reads the same in parts of any size", () => {
    const text = '{"a":"x\\ny","b":{"c":2}}\r\n\n{"a":12345678901234567890}\noops\n{"a":""}';
    const whole = read(text, ["a", "b.c"]);
    for (let size = 1; size <= text.length; size++) {
      const reader = new JsonLinesReader(["a", "b.c"]);
      const records: Seen[] = [];
      let [rest, line] = ["", 1];
      for (let at = 0; at < text.length; at += size) {
        const part = rest + text.slice(at, at + size);
        ({ rest, line } = reader.read(part, line, at + size >= text.length, (values, text, line) => {
          records.push([values ?? text, line]);
        }));
      }
      assertEquals({ records, rest, line }, whole, `in parts of ${size}`);
    }
  });
});

describe("listMembers()", () => {
  it("lists the members of the first lines, each once", () => {
    const text =
      '\ufeff{"order":{"id":1,"at":{"day":2}},"tags":[1],"none":{}}\noops\n\n{"Customer":1,"order":{"id":2}}\n{"late":1}';
    assertEquals(listMembers(text, 4), ["order.id", "order.at.day", "tags", "none", "Customer"]);
    assertEquals(listMembers("", 4), []);
  });

  it("does not follow an object without end", () => {
    const deep = '{"a":'.repeat(1000) + "1" + "}".repeat(1000);
    assertEquals(listMembers(deep, 1), ["a" + ".a".repeat(15)]);
  });
});
