import { assert, assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { encodeAll, LineBuffer, MAX_LINE_BYTES } from "../../../lib/generate/line_buffer.ts";
import { fromCents } from "../../../lib/domain/money.ts";

function written(write: (lines: LineBuffer) => void): string {
  const lines = new LineBuffer(1024);
  write(lines);
  return new TextDecoder().decode(lines.filled);
}

describe("LineBuffer", () => {
  const edges = [0, 1, 9, 10, 99, 100, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 4e9 + 1e7, Number.MAX_SAFE_INTEGER];

  it("appendInteger() formats like String()", () => {
    for (const value of edges) assertEquals(written((lines) => lines.appendInteger(value)), String(value));
    fc.assert(
      fc.property(
        fc.maxSafeNat(),
        (value) => written((lines) => lines.appendInteger(value)) === String(value),
      ),
    );
  });

  it("appendMoney() formats like fromCents()", () => {
    for (const cents of edges) {
      assertEquals(written((lines) => lines.appendMoney(cents)), fromCents(BigInt(cents)));
    }
    fc.assert(
      fc.property(
        fc.maxSafeNat(),
        (cents) => written((lines) => lines.appendMoney(cents)) === fromCents(BigInt(cents)),
      ),
    );
  });

  it("clear() empties the buffer, to which methods append in order", () => {
    const [east] = encodeAll(["East"]);
    const write = (lines: LineBuffer) => {
      lines.appendInteger(12);
      lines.appendComma();
      lines.appendText("Юг");
      lines.appendComma();
      lines.appendBytes(east!);
      lines.endLine();
    };
    assertEquals(written(write), "12,Юг,East\n");
    assertEquals(
      written((lines) => {
        write(lines);
        lines.clear();
        lines.appendInteger(7);
      }),
      "7",
    );
  });

  it("endLine() throws when a line does not fit", () => {
    const writes: ((lines: LineBuffer) => void)[] = [
      (lines) => lines.appendText("12345"),
      (lines) => lines.appendText("123Ю"),
      (lines) => lines.appendInteger(12345),
      (lines) => lines.appendMoney(12345),
      (lines) => lines.appendBytes(new Uint8Array(5)),
      (lines) => lines.appendText("1234"),
    ];
    for (const write of writes) {
      const lines = new LineBuffer(4);
      assertThrows(
        () => {
          write(lines);
          lines.endLine();
        },
        RangeError,
        "does not fit into the buffer of 4 bytes",
      );
    }
  });

  it("hasRoom is true while two lines of the maximum length fit", () => {
    const lines = new LineBuffer(2 * MAX_LINE_BYTES + 2);
    assert(lines.hasRoom);
    lines.appendText("ab");
    assert(lines.hasRoom);
    lines.appendComma();
    assert(!lines.hasRoom);
  });
});
