import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { assertDone, assertRecordsOutage, run, UNREACHABLE_DATABASES, useHome } from "./command.ts";

const AS_OF = "2026-11-24";
const home = useHome();

describe("salesflow load", () => {
  it("exits with 75 and records the failure when PostgreSQL is unreachable", async () => {
    const args = home.args("run", "--rows", "10", "--as-of", AS_OF, "--to", "clean");
    assertDone(await run(args, UNREACHABLE_DATABASES));
    await assertRecordsOutage(home, "load", AS_OF);
  });

  it("exits with 1 before it connects when the run has no clean data", async () => {
    assertDone(await run(home.args("generate", "--rows", "10", "--as-of", AS_OF, "--run-id", "raw")));
    const { code, stderr } = await run(home.args("load", "--run-id", "raw"), UNREACHABLE_DATABASES);
    assertEquals(code, 1);
    assertMatch(stderr, /There is no (clean|rejected) data of run raw/);
    assertStringIncludes(stderr, "salesflow clean --run-id raw");
  });
});
