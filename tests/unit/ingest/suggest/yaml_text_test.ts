import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { parse } from "yaml";
import { columnRule, comments, counted, list, scalar } from "../../../../lib/ingest/suggest/yaml_text.ts";

describe("pieces of YAML", () => {
  it("read back as the same text, also within tables of one line", () => {
    for (
      const text of [
        "Lineitem sku",
        "a: b",
        "#1",
        "x, y",
        "[A]",
        "- x",
        "~",
        "Кол-во",
        'say "x"',
        "a #b",
        "",
        "{x}",
        "No",
        "a\nb",
      ]
    ) {
      assertEquals(parse(`{k: ${scalar(text)}}`, { schema: "failsafe" }), { k: text });
      assertEquals(parse(list([text, "z"]), { schema: "failsafe" }), [text, "z"]);
    }
  });

  it("give no short form to a column that looks like an expression", () => {
    assertEquals([columnRule("Qty"), columnRule("[Qty]")], ["Qty", '{column: "[Qty]"}']);
  });

  it("break comments into lines, and let no value out of them", () => {
    const lines = comments([`${"word ".repeat(40)}a\nversion: 2`], "  ");
    assertEquals(lines.every((line) => line.length <= 110), true);
    assertEquals(lines.length, 3);
    assertEquals(lines.every((line) => line.startsWith("  #") && !line.includes("\n")), true);
    assertEquals(counted([["a", 2], ["", 1]]), "a 2, (empty) 1");
  });
});
