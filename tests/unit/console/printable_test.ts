import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { printable } from "../../../lib/console/printable.ts";

describe("printable()", () => {
  const cases: [text: string, most: number | undefined, expected: string][] = [
    ["plain, с кириллицей", undefined, "plain, с кириллицей"],
    ["a\tb\nc\x1b[31m\0", undefined, "a\\u0009b\\u000ac\\u001b[31m\\u0000"],
    ["\u202eabc\ufeff", undefined, "\\u202eabc\\ufeff"],
    ["abcdef", 3, "abc…"],
    ["ab😀", 3, "ab\ufffd…"],
    ["x".repeat(500), undefined, "x".repeat(200) + "…"],
  ];
  for (const [text, most, expected] of cases) {
    it(`printable() writes ${JSON.stringify(text.slice(0, 20))} as ${JSON.stringify(expected.slice(0, 40))}`, () => {
      assertEquals(most === undefined ? printable(text) : printable(text, most), expected);
    });
  }
});
