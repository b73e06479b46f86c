import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { run, UNREACHABLE_DATABASES, useHome } from "./command.ts";
import { documentedFields } from "./json_fields.ts";

const home = useHome();

describe("salesflow doctor", () => {
  it("exits with 0 when all checks pass", async () => {
    const { code, stdout, stderr } = await run(home.args("doctor"));
    assertEquals(code, 0, stderr);
    assertStringIncludes(stdout, "All checks passed.");
    assert(!stdout.includes("FAIL"), stdout);
  });

  it("prints every failed check, and exits with 1", async () => {
    const { code, stdout, stderr } = await run(home.args("doctor"), UNREACHABLE_DATABASES);
    assertEquals(code, 1, stderr);
    for (const subject of ["PostgreSQL", "ClickHouse"]) assertMatch(stdout, new RegExp(`FAIL +${subject}`));
    assertMatch(stderr, /2 of \d+ checks failed/);
  });

  it("prints the same as JSON with --json, and exits with the same code", async () => {
    const { code, stdout, stderr } = await run(home.args("doctor", "--json"), UNREACHABLE_DATABASES);
    assertEquals(code, 1, stderr);
    const result = JSON.parse(stdout);
    assertEquals(Object.keys(result), await documentedFields("doctor --json"));
    assertEquals(result.status, "failed");
    const failed = result.findings.filter(({ state }: { state: string }) => state === "failed");
    assertEquals(failed.map(({ subject }: { subject: string }) => subject), ["PostgreSQL", "ClickHouse"]);
    for (const finding of result.findings) {
      assertEquals(Object.keys(finding), ["state", "subject", "message", "remedy"]);
    }
  });
});
