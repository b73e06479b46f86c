import { assertEquals, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { assertDone, assertRecordsOutage, run, UNREACHABLE_DATABASES, useHome } from "./command.ts";

const AS_OF = "2026-11-24";
const home = useHome();

describe("salesflow transfer", () => {
  it("exits with 75 and records the failure when PostgreSQL is unreachable", async () => {
    assertDone(await run(home.args("generate", "--rows", "10", "--as-of", AS_OF)));
    await assertRecordsOutage(home, "transfer", AS_OF);
  });

  it("exits with 1 and creates no run when there is none", async () => {
    const { code, stderr } = await run(home.args("transfer", "--run-id", "none"), UNREACHABLE_DATABASES);
    assertEquals(code, 2);
    assertStringIncludes(stderr, "There is no run none");
    assertEquals(await home.exists("none"), false);
  });
});
