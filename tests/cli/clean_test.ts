import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { assertDone, logLines, run, useHome } from "./command.ts";

const AS_OF = "2026-11-24";
const home = useHome();

describe("salesflow clean", () => {
  it("exits with 2 and a remedy when there is no such run", async () => {
    const none = await run(home.args("clean", "--run-id", "none"));
    assertEquals(none.code, 2);
    assertStringIncludes(none.stderr, "There is no run none");
    assertStringIncludes(none.stderr, "Run generate or ingest first");
    assert(!await home.exists("none"));
  });

  it("exits with 1 and records why when too many rows are rejected, and succeeds with a higher limit", async () => {
    const args = home.args(
      "generate",
      "--rows",
      "1000",
      "--defect-rate",
      "0.5",
      "--as-of",
      AS_OF,
      "--run-id",
      "dirty",
    );
    assertDone(await run(args));
    const rejected = await run(home.args("clean", "--run-id", "dirty"));
    assertEquals([rejected.code, rejected.stdout], [1, ""]);
    const error = logLines(rejected.stderr).at(-1)!;
    assertEquals([error.level, error.logger, error.exit_code], ["ERROR", "salesflow.clean", 1]);
    assertMatch(String(error.message), /^\d+ of \d+ rows would be rejected[^\n]+$/);
    assert((error.examples as unknown[]).length > 0);
    const text = await run(home.args("clean", "--run-id", "dirty", "--log-format", "text"));
    assertMatch(
      text.stderr,
      /^error: clean: \d+ of \d+ rows would be rejected[^\n]+\n {2}malformed_row, part-/m,
    );
    assertStringIncludes(rejected.stderr, "--max-rejected");
    const record = await home.readJson("dirty/stages/clean.json");
    assertEquals([record.status, (record.error as { exit_code: number }).exit_code], ["failed", 1]);
    assert(!await home.exists("dirty/clean/manifest.json"));
    assertDone(await run(home.args("clean", "--run-id", "dirty", "--max-rejected", "0.5")));
    assertEquals((await home.readJson("dirty/stages/clean.json")).attempt, 3);
  });

  it("exits with 2 when --as-of differs from the run's as-of date", async () => {
    assertDone(await run(home.args("generate", "--rows", "10", "--as-of", AS_OF, "--run-id", "dated")));
    const { code, stderr } = await run(home.args("clean", "--run-id", "dated", "--as-of", "2026-11-23"));
    assertEquals(code, 2);
    assertStringIncludes(stderr, `Run dated is as of ${AS_OF}, not 2026-11-23`);
  });
});
