import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { PlainNumber } from "../../../../lib/ingest/plain/plain_number.ts";

function read(text: string, mark = "."): [units: number, decimals: number] | undefined {
  const number = new PlainNumber();
  const bytes = new TextEncoder().encode(`x${text}x`);
  return number.read(bytes, 1, bytes.length - 1, mark.charCodeAt(0))
    ? [number.units, number.decimals]
    : undefined;
}

describe("PlainNumber", () => {
  it("reads digits and one mark before decimals", () => {
    assertEquals(read("7"), [7, 0]);
    assertEquals(read("0012"), [12, 0]);
    assertEquals(read("12.50"), [1250, 2]);
    assertEquals(read("12,5", ","), [125, 1]);
    assertEquals(read("999999999999999"), [999_999_999_999_999, 0]);
  });

  it("reads nothing else", () => {
    const others = [
      "",
      ".5",
      "5.",
      "1.2.3",
      "-1",
      "+1",
      " 1",
      "1 ",
      "1e3",
      "$1",
      "1,5",
      "1000000000000000",
      "١",
    ];
    for (const text of others) assertEquals(read(text), undefined, text);
    assertEquals(read("1.5", ","), undefined);
  });
});
