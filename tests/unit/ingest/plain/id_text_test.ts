import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { IdText } from "../../../../lib/ingest/plain/id_text.ts";
import type { Rule } from "../../../../lib/ingest/source/rule.ts";
import { headerOf, scan } from "./harness.ts";

const COLUMN: Rule = { kind: "column", column: "a" };
const JOIN: Rule = { kind: "join", parts: [{ text: "A" }, { text: "№" }, { text: "B" }], with: "-" };

function write(text: string, rule: Rule = COLUMN, isUtf8 = true): string | undefined {
  const id = IdText.compile(rule, headerOf(2), isUtf8)!;
  const length = id.write(scan(text));
  return length < 0 ? undefined : new TextDecoder().decode(id.bytes.subarray(0, length));
}

describe("IdText", () => {
  it("takes a column, and joins columns with texts", () => {
    assertEquals(write("#1001,x"), "#1001");
    assertEquals(write("Заказ 7,x"), "Заказ 7");
    assertEquals(write("1001,2", JOIN), "1001-№-2");
    assertEquals(write("1001,", JOIN), "1001-№-");
  });

  const others: [what: string, text: string][] = [
    ["an empty id", ",x"],
    ["blanks before it", '" 7",x'],
    ["blanks behind it", "7 ,x"],
    ["a no-break space behind it", "7\u00a0,x"],
    ["an ideographic space behind it", "7\u3000,x"],
    ["a character of three bytes at its end, which may be a blank", "7日,x"],
    ["a quoted comma", '"a,b",x'],
    ["a tab", "a\tb,x"],
    ["more bytes than fit", `${"a".repeat(2_000)},x`],
  ];
  for (const [what, text] of others) {
    it(`leaves ${what} to be read as text`, () => assertEquals(write(text), undefined));
  }

  it("takes only ASCII of other encodings than UTF-8", () => {
    assertEquals([write("a-1,x", COLUMN, false), write("д-1,x", COLUMN, false)], ["a-1", undefined]);
  });

  it("does not compile what depends on other lines, or needs quotes", () => {
    const rules: Rule[] = [
      { kind: "value", text: "1" },
      { kind: "join", parts: [{ text: "A" }, { lineWithin: "A" }], with: "-" },
      { kind: "join", parts: [{ text: "A" }, { text: "B" }], with: "," },
      { kind: "join", parts: [{ text: "x" }, { text: "y" }], with: "-" },
    ];
    for (const rule of rules) assertEquals(IdText.compile(rule, headerOf(2), true), undefined);
  });
});
