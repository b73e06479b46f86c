/** Behaviour that both providers of `@std/assert` must have; runs with the selected one. */
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { describe, it } from "@std/testing/bdd";

describe("assertions", () => {
  it("fail when their condition does not hold", async () => {
    assertThrows(() => assert(false));
    assertThrows(() => assertEquals({ a: [1] } as unknown, { a: [2] }));
    assertThrows(() => assertStringIncludes("abc", "d"));
    assertThrows(() => assertMatch("abc", /d/));
    assertThrows(() => assertThrows(() => {}));
    assertThrows(() =>
      assertThrows(() => {
        throw new TypeError("x");
      }, RangeError)
    );
    await assertRejects(() => assertRejects(() => Promise.resolve()));
    await assertRejects(() => assertRejects(() => Promise.reject(new Error("x")), Error, "y"));
  });
  it("return the expected error", async () => {
    assertEquals(
      assertThrows(
        () => {
          throw new TypeError("x");
        },
        TypeError,
        "x",
      ).message,
      "x",
    );
    assertEquals((await assertRejects(() => Promise.reject(new RangeError("y")), RangeError)).message, "y");
  });
});
