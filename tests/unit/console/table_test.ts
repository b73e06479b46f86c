import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { formatTable, terminalWidth } from "../../../lib/console/table.ts";

function widest(text: string): number {
  return Math.max(...text.split("\n").map((line) => line.length));
}

describe("formatTable()", () => {
  it("has a rule below the head only, and aligns columns by name or position", () => {
    const expected = [
      "┌────────┬──────┐",
      "│ region │ rows │",
      "├────────┼──────┤",
      "│ Север  │    1 │",
      "│ South  │   22 │",
      "└────────┴──────┘",
    ].join("\n");
    const rows = [["Север", "1"], ["South", "22"]];
    assertEquals(formatTable(["region", "rows"], rows, { right: ["rows"] }), expected);
    assertEquals(formatTable(["region", "rows"], rows, { right: [1] }), expected);
  });

  it("draws a table without rows, and nothing without columns", () => {
    assertEquals(formatTable(["a", "b"], []), "┌───┬───┐\n│ a │ b │\n└───┴───┘");
    assertEquals(formatTable([], [[]]), "");
  });

  it("has as many lines as rows when there are many, each as wide as the widest cell needs", () => {
    const rows = Array.from({ length: 120 }, (_, index) => ["x".repeat(index), String(index)]);
    const lines = formatTable(["name", "rows"], rows).split("\n");
    assertEquals(lines.length, 4 + rows.length);
    assertEquals(new Set(lines.map(({ length }) => length)), new Set([119 + 4 + 7]));
    assertEquals(lines.at(-2)!.endsWith("│ 119  │"), true);
  });

  it("truncates the widest columns of text to the terminal's width, never a number", () => {
    const text = formatTable(["name", "note", "rows"], [["short", "x".repeat(100), "1234567890"]], {
      right: ["rows"],
      width: 40,
    });
    assertEquals(widest(text), 40);
    assertEquals(text.split("\n")[3], "│ short │ xxxxxxxxxxxxxx… │ 1234567890 │");
  });

  it("uses the whole width when several columns are truncated", () => {
    const row = ["x".repeat(50), "y".repeat(50), "z".repeat(50)];
    for (const width of [60, 61, 62]) {
      assertEquals(widest(formatTable(["a", "b", "c"], [row], { width })), width);
    }
  });

  it("keeps wide characters within the width", () => {
    const text = formatTable(["name"], [["漢字".repeat(40)]], { width: 20 });
    assertEquals(text.split("\n")[3], "│ 漢字漢字漢字漢…  │");
  });

  it("prints rows as lines of name and value when columns would be too narrow", () => {
    const head = ["first", "second", "third"];
    const rows = [["a", "b".repeat(60), "3\n4"], ["c".repeat(20), "d", ""]];
    assertEquals(
      formatTable(head, rows, { width: 30, right: ["third"] }),
      [
        "── row 1 ─────────────────────",
        "first   a",
        `second  ${"b".repeat(21)}…`,
        "third   3",
        "        4",
        "── row 2 ─────────────────────",
        `first   ${"c".repeat(20)}`,
        "second  d",
        "third",
      ].join("\n"),
    );
    assertEquals(formatTable(head, [], { width: 12 }), "first, second, third");
  });

  it("does not leave half of a surrogate pair", () => {
    for (const width of [14, 15, 16, 17]) {
      assert(formatTable(["name"], [["😀".repeat(40)]], { width }).isWellFormed());
    }
  });
});

describe("terminalWidth()", () => {
  it("is unlimited for what is no terminal", () => {
    assertEquals(terminalWidth({ isTerminal: () => false }), undefined);
  });
});
