import { assert, assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { encodeAll, LineBuffer, LONGEST_LINE_BYTES } from "../../../lib/generate/line_buffer.ts";
import { fromCents } from "../../../lib/domain/money.ts";

function written(write: (lines: LineBuffer) => void): string {
  const lines = new LineBuffer(1024);
  write(lines);
  return new TextDecoder().decode(lines.filled);
}

describe("LineBuffer", () => {
  const edges = [0, 1, 9, 10, 99, 100, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 4e9 + 1e7, Number.MAX_SAFE_INTEGER];

  it("number() writes what String() does", () => {
    for (const value of edges) assertEquals(written((lines) => lines.number(value)), String(value));
    fc.assert(
      fc.property(fc.maxSafeNat(), (value) => written((lines) => lines.number(value)) === String(value)),
    );
  });

  it("money() writes what fromCents() does", () => {
    for (const cents of edges) {
      assertEquals(written((lines) => lines.money(cents)), fromCents(BigInt(cents)));
    }
    fc.assert(
      fc.property(
        fc.maxSafeNat(),
        (cents) => written((lines) => lines.money(cents)) === fromCents(BigInt(cents)),
      ),
    );
  });

  it("appends numbers, texts and bytes in order, and begins anew after clear()", () => {
    const [east] = encodeAll(["East"]);
    const write = (lines: LineBuffer) => {
      lines.number(12);
      lines.comma();
      lines.text("Юг");
      lines.comma();
      lines.bytes(east!);
      lines.endLine();
    };
    assertEquals(written(write), "12,Юг,East\n");
    assertEquals(
      written((lines) => {
        write(lines);
        lines.clear();
        lines.number(7);
      }),
      "7",
    );
  });

  it("says so when a line does not fit", () => {
    const writes: ((lines: LineBuffer) => void)[] = [
      (lines) => lines.text("12345"),
      (lines) => lines.text("123Ю"),
      (lines) => lines.number(12345),
      (lines) => lines.money(12345),
      (lines) => lines.bytes(new Uint8Array(5)),
      (lines) => lines.text("1234"),
    ];
    for (const write of writes) {
      const lines = new LineBuffer(4);
      assertThrows(
        () => {
          write(lines);
          lines.endLine();
        },
        RangeError,
        "does not fit into 4 bytes",
      );
    }
  });

  it("has room until less than a sale's two longest lines are left", () => {
    const lines = new LineBuffer(2 * LONGEST_LINE_BYTES + 2);
    assert(lines.hasRoom);
    lines.text("ab");
    assert(lines.hasRoom);
    lines.comma();
    assert(!lines.hasRoom);
  });
});
