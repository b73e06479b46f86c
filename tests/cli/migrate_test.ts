import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { assertRecordsOutage, run, UNREACHABLE_DATABASES, useHome } from "./command.ts";

const AS_OF = "2026-11-24";
const home = useHome();

describe("salesflow migrate", () => {
  it("exits with 75 and records the failure when PostgreSQL is unreachable", async () => {
    await assertRecordsOutage(home, "migrate", AS_OF);
  });

  it("exits with 2 on an invalid option, without creating a run", async () => {
    const { code } = await run(home.args("migrate", "--role", "--run-id", "none"), UNREACHABLE_DATABASES);
    assertEquals(code, 2);
    assertEquals(await home.exists("none"), false);
  });
});
