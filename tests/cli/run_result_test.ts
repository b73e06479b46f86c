import { assert, assertEquals, assertMatch } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { logLines, run, UNREACHABLE_DATABASES, useHome } from "./command.ts";
import { documentedFields } from "./json_fields.ts";

const AS_OF = "2026-11-24";
const home = useHome();

const command = (...more: string[]) => home.args("run", "--rows", "10", "--as-of", AS_OF, "--json", ...more);

describe("salesflow run --json", () => {
  it("prints the whole run, with the documented fields and nothing else, on stdout", async () => {
    const { code, stdout, stderr } = await run(command());
    assertEquals(code, 0, stderr);
    logLines(stderr);
    const result = JSON.parse(stdout);
    assertEquals(Object.keys(result), await documentedFields("run --json"));
    for (const stage of result.stages) {
      assertEquals(Object.keys(stage), await documentedFields("Record of a stage"));
    }
    assertEquals(
      [result.status, result.run_id, result.error, result.resumed, result.stages.length],
      ["done", AS_OF, null, null, 8],
    );
    assertEquals(result.folder, `${home.path}/runs/${AS_OF}`);
    assert((await Deno.stat(result.report)).isFile);
  });

  it("prints what was done before a failure, and exits as without --json", async () => {
    const { code, stdout, stderr } = await run(command("--from", "clean"), UNREACHABLE_DATABASES);
    assertEquals(code, 75, stderr);
    const result = JSON.parse(stdout);
    assertEquals(Object.keys(result), await documentedFields("run --json"));
    assertEquals([result.status, result.error.exit_code, result.report], ["failed", 75, null]);
    assertMatch(result.error.message, /PostgreSQL at 127\.0\.0\.1:1/);
    assertEquals(result.stages.map(({ stage, status }: Record<string, string>) => [stage, status]), [
      ["migrate", "failed"],
    ]);
    assertEquals(logLines(stderr).at(-1)!.exit_code, 75);
  });

  it("prints a failure that comes before the run is known, and nothing for wrong usage", async () => {
    const unknown = await run(home.args("run", "--run-id", "nobody", "--from", "load", "--json"));
    assertEquals(unknown.code, 2);
    const { run_id, error } = JSON.parse(unknown.stdout);
    assertEquals([run_id, error.exit_code], [null, 2]);
    assertEquals((await run(command("--rows=x"))).stdout, "");
  });
});

describe("salesflow run --dry-run --json", () => {
  it("prints the documented fields", async () => {
    const { code, stdout, stderr } = await run(command("--dry-run"));
    assertEquals([code, stderr], [0, ""]);
    assertEquals(
      Object.keys(JSON.parse(stdout)).sort(),
      (await documentedFields("run --dry-run --json")).sort(),
    );
  });
});
