import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { LineCounter } from "../../../lib/verify/line_counter.ts";

function countLines(text: string, chunkBytes: number): number {
  const bytes = new TextEncoder().encode(text);
  const counter = new LineCounter();
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    counter.write(bytes.subarray(at, at + chunkBytes));
  }
  return counter.finish();
}

describe("LineCounter", () => {
  const cases: [string, string, number][] = [
    ["an empty file", "", 0],
    ["lines without a line feed at the end of the file", "a\nb\nc", 3],
    ["a line feed at the end of the file", "a\nb\n", 2],
    ["empty lines", "\n\na\n\n", 1],
    ["CRLF", "a\r\n\r\nb\r\n", 2],
    ["blanks of every kind", "a\n \t\u00a0\u202f\n\u00a0\r\n\u202f\n", 1],
    ["blanks before content", " \u00a0\u202f\tx\n", 1],
    ["characters that start with the bytes of blanks", "\u00a1\n\u2030\n\u202e\n\u20ac\n", 4],
    ["a carriage return not followed by a line feed", "\r\r\n\ra\n", 2],
    ["a carriage return at the end of the file", "a\n\r", 1],
    ["a blank before content", "\u00a0x\n", 1],
  ];
  for (const [name, text, expected] of cases) {
    it(`LineCounter counts ${name}, in chunks of any size`, () => {
      for (const chunkBytes of [1, 2, 3, 1000]) {
        assertEquals(countLines(text, chunkBytes), expected, `chunks of ${chunkBytes} bytes`);
      }
    });
  }

  it("LineCounter agrees with a regular expression for any text", () => {
    const text = fc.array(
      fc.constantFrom("\n", "\r\n", "\r", " ", "\t", "\u00a0", "\u202f", "\u202e", "a", ",", "é"),
    );
    fc.assert(fc.property(text, fc.integer({ min: 1, max: 7 }), (fragments, chunkBytes) => {
      const joined = fragments.join("");
      const lines = joined.split("\n").map((line) => line.replace(/\r$/, ""));
      assertEquals(
        countLines(joined, chunkBytes),
        lines.filter((line) => !/^[ \t\u00a0\u202f]*$/.test(line)).length,
      );
    }));
  });
});
