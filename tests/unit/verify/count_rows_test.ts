import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { LineCounter } from "../../../lib/verify/count_rows.ts";

function count(text: string, pieces: number): number {
  const bytes = new TextEncoder().encode(text);
  const counter = new LineCounter();
  for (let at = 0; at < bytes.length; at += pieces) counter.write(bytes.subarray(at, at + pieces));
  return counter.finish();
}

describe("LineCounter", () => {
  const cases: [string, string, number][] = [
    ["nothing", "", 0],
    ["lines with and without a last line feed", "a\nb\nc", 3],
    ["a last line feed", "a\nb\n", 2],
    ["empty lines", "\n\na\n\n", 1],
    ["CRLF", "a\r\n\r\nb\r\n", 2],
    ["blanks of every kind", "a\n \t\u00a0\u202f\n\u00a0\r\n\u202f\n", 1],
    ["blanks before content", " \u00a0\u202f\tx\n", 1],
    ["characters that begin like blanks", "\u00a1\n\u2030\n\u202e\n\u20ac\n", 4],
    ["a return that is not before a line feed", "\r\r\n\ra\n", 2],
    ["a return at the end of the file", "a\n\r", 1],
    ["the beginning of a blank at the end of a line", "\u00a0x\n", 1],
  ];
  for (const [name, text, expected] of cases) {
    it(`LineCounter counts ${name}, in pieces of any size`, () => {
      for (const pieces of [1, 2, 3, 1000]) {
        assertEquals(count(text, pieces), expected, `pieces of ${pieces}`);
      }
    });
  }

  it("LineCounter agrees with a pattern for whatever text", () => {
    const text = fc.array(
      fc.constantFrom("\n", "\r\n", "\r", " ", "\t", "\u00a0", "\u202f", "\u202e", "a", ",", "é"),
    );
    fc.assert(fc.property(text, fc.integer({ min: 1, max: 7 }), (drawn, pieces) => {
      const joined = drawn.join("");
      const lines = joined.split("\n").map((line) => line.replace(/\r$/, ""));
      assertEquals(count(joined, pieces), lines.filter((line) => !/^[ \t\u00a0\u202f]*$/.test(line)).length);
    }));
  });
});
