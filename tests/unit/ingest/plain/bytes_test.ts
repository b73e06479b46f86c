import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { copyBytes, hasBytes, viewOf } from "../../../../lib/ingest/plain/bytes.ts";

const BYTES = Uint8Array.from({ length: 20 }, (_, index) => 200 + index);

describe("copyBytes()", () => {
  it("copies runs of any length to any place, and nothing else", () => {
    for (let length = 0; length <= 12; length++) {
      const target = new Uint8Array(20);
      assertEquals(copyBytes(viewOf(BYTES), 3, 3 + length, viewOf(target), 5), 5 + length);
      const expected = new Uint8Array(20);
      expected.set(BYTES.subarray(3, 3 + length), 5);
      assertEquals(target, expected);
    }
  });

  it("copies from and to a part of a buffer", () => {
    const target = new Uint8Array(8);
    copyBytes(viewOf(BYTES.subarray(10)), 0, 5, viewOf(target.subarray(2)), 1);
    assertEquals([...target], [0, 0, 0, 210, 211, 212, 213, 214]);
  });
});

describe("hasBytes()", () => {
  it("compares runs of any length in any place", () => {
    for (let length = 0; length <= 12; length++) {
      const other = new Uint8Array(20);
      other.set(BYTES.subarray(3, 3 + length), 5);
      assertEquals(hasBytes(viewOf(BYTES), 3, viewOf(other), 5, length), true);
      for (let at = 0; at < length; at++) {
        const changed = Uint8Array.from(other);
        changed[5 + at]!++;
        assertEquals(hasBytes(viewOf(BYTES), 3, viewOf(changed), 5, length), false);
      }
    }
  });
});
