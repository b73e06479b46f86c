import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { toPrintable } from "../../../lib/console/printable.ts";

describe("toPrintable()", () => {
  const cases: [name: string, text: string, maxLength: number | undefined, expected: string][] = [
    ["keeps printable text", "plain, с кириллицей", undefined, "plain, с кириллицей"],
    [
      "escapes control characters",
      "a\tb\nc\x1b[31m\0",
      undefined,
      "a\\u0009b\\u000ac\\u001b[31m\\u0000",
    ],
    [
      "escapes bidirectional controls and the byte order mark",
      "\u202eabc\ufeff",
      undefined,
      "\\u202eabc\\ufeff",
    ],
    ["truncates to the given length", "abcdef", 3, "abc…"],
    ["replaces half of a surrogate pair", "ab😀", 3, "ab\ufffd…"],
    ["truncates to 200 code units by default", "x".repeat(500), undefined, "x".repeat(200) + "…"],
  ];
  for (const [name, text, maxLength, expected] of cases) {
    it(name, () => {
      assertEquals(maxLength === undefined ? toPrintable(text) : toPrintable(text, maxLength), expected);
    });
  }
});
