import { assertEquals, assertMatch } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { run, useHome } from "./command.ts";
import { documentedFields } from "./json_fields.ts";

const home = useHome();

describe("salesflow prune", () => {
  it("removes all runs but the newest, and says what went", async () => {
    for (const date of ["2026-11-17", "2026-11-24"]) {
      assertEquals((await run(home.args("run", "--rows", "10", "--as-of", date, "--quiet"))).code, 0);
    }
    const preview = await run(home.args("prune", "--keep", "1", "--dry-run", "--import-dates"));
    assertEquals([preview.code, preview.stderr], [0, ""]);
    assertMatch(
      preview.stdout,
      /Would remove 1 run, 1 import date, 0 staging tables: \d+ kB\. Nothing was removed\.\n$/,
    );
    assertEquals(await home.exists("2026-11-17/run.json"), true);
    const { code, stdout } = await run(home.args("prune", "--keep", "1", "--json"));
    assertEquals(code, 0);
    const result = JSON.parse(stdout);
    assertEquals(Object.keys(result), await documentedFields("prune --json"));
    assertEquals(result.runs.map(({ run_id }: { run_id: string }) => run_id), ["2026-11-17"]);
    assertEquals([await home.exists("2026-11-17"), await home.exists("2026-11-24/run.json")], [false, true]);
    const verify = await run(home.args("verify", "--as-of", "2026-11-24"));
    assertEquals(verify.code, 0, verify.stderr);
  });
});
