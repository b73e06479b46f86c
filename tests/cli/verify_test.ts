import { assertEquals, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { assertDone, assertRecordsOutage, run, UNREACHABLE_DATABASES, useHome } from "./command.ts";

const AS_OF = "2026-11-24";
const home = useHome();

describe("salesflow verify", () => {
  it("exits with 75 and records the failure when PostgreSQL is unreachable", async () => {
    const args = home.args("run", "--rows", "10", "--as-of", AS_OF, "--to", "clean");
    assertDone(await run(args, UNREACHABLE_DATABASES));
    await assertRecordsOutage(home, "verify", AS_OF);
  });

  it("exits with 1 and creates no run when there is none", async () => {
    const { code, stderr } = await run(home.args("verify", "--run-id", "none"), UNREACHABLE_DATABASES);
    assertEquals(code, 2);
    assertStringIncludes(stderr, "There is no run none");
    assertEquals(await home.exists("none"), false);
  });
});
