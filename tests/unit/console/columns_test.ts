import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { type Column, formatColumns } from "../../../lib/console/columns.ts";

const COLUMNS: Column[] = [
  { name: "name", cells: ["Wooden Chair", "Table"] },
  { name: "second", optional: 1, cells: ["b", "c"] },
  { name: "first", optional: 2, cells: ["d", "e"] },
  { name: "rows", right: true, cells: ["1,000", "2"] },
];

/** Returns the names in the header of a table. */
function header(table: string): string[] {
  return table.split("\n")[1]!.split("│").map((name) => name.trim()).filter((name) => name !== "");
}

describe("formatColumns()", () => {
  const cases: [width: number | undefined, names: string[]][] = [
    [undefined, ["name", "second", "first", "rows"]],
    [41, ["name", "second", "first", "rows"]],
    [40, ["name", "second", "rows"]],
    [32, ["name", "rows"]],
    [20, ["name", "rows"]],
  ];
  for (const [width, names] of cases) {
    it(`shows ${names.join(", ")} in ${width ?? "unlimited"} columns`, () => {
      const table = formatColumns(COLUMNS, width);
      assertEquals(header(table), names);
      for (const line of table.split("\n")) assert(line.length <= (width ?? 80), table);
    });
  }

  it("truncates text, but no numbers", () => {
    const table = formatColumns(COLUMNS, 20);
    assertStringIncludes(table, "…");
    assertStringIncludes(table, "│ 1,000 │");
  });

  it("draws a table without rows", () => {
    assertEquals(header(formatColumns([{ name: "a", cells: [] }])), ["a"]);
  });
});
