import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { quoted, quoteField, toSingleLine } from "../../../lib/dataset/csv_field.ts";

describe("quoted()", () => {
  it("quotes every field", () => {
    assertEquals(["", "a", 'say "x"'].map(quoted), ['""', '"a"', '"say ""x"""']);
  });
});

describe("quoteField()", () => {
  it("quotes only what needs quotes", () => {
    const fields = ["Mug", " x ", "a,b", 'say "x"', "a\nb", "a\rb", ""];
    assertEquals(fields.map(quoteField), ["Mug", " x ", '"a,b"', '"say ""x"""', '"a\nb"', '"a\rb"', ""]);
  });
});

describe("toSingleLine()", () => {
  it("replaces each run of line breaks by a space", () => {
    assertEquals(toSingleLine("a\r\nb\n\nc\rd"), "a b c d");
  });
});
