import { assert, assertEquals, assertMatch } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { findFreePort, generatePassword } from "../../../../lib/embedded/server/access.ts";

describe("generatePassword()", () => {
  it("returns another password of hexadecimal digits each time", () => {
    assertMatch(generatePassword(), /^[0-9a-f]{48}$/);
    assert(generatePassword() !== generatePassword());
  });
});

describe("findFreePort()", () => {
  it("returns the preferred port when it is free, and another one when it is taken", () => {
    const port = findFreePort();
    assertEquals(findFreePort(port), port);
    using _taken = Deno.listen({ hostname: "127.0.0.1", port });
    assert(findFreePort(port) !== port);
  });
});
