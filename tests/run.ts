/**
 * Runs every Deno test (or those of the paths given) with the chosen `@std` provider, and ends with `N passed, N failed`.
 * Prints that line from the JUnit report, so that a test file that does not load counts as failed.
 */
import { withStd } from "../lib/std/provider.ts";

const SUITES = [
  "tests/unit",
  "tests/conformance",
  "tests/integration",
  "tests/cli",
  "tests/faults/sample_test.ts",
];

/** Passed and failed tests of a JUnit report; a describe() that holds tests is not a test itself. */
export function countTests(junit: string): { passed: number; failed: number; skipped: number } {
  const cases = [...junit.matchAll(/<testcase name="([^"]*)"[^>]*?(\/>|>([^]*?)<\/testcase>)/g)]
    .map(([, name, , body = ""]) => ({ name: name!, body }));
  const parents = new Set<string>();
  for (const { name } of cases) {
    for (let at = name.indexOf(" &gt; "); at >= 0; at = name.indexOf(" &gt; ", at + 1)) {
      parents.add(name.slice(0, at));
    }
  }
  const tests = cases.filter(({ name }) => !parents.has(name));
  const failed = tests.filter(({ body }) => /<(failure|error)\b/.test(body)).length;
  const skipped = tests.filter(({ body }) => /<skipped\b/.test(body)).length;
  return { passed: tests.length - failed - skipped, failed, skipped };
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

if (import.meta.main) {
  const root = new URL("..", import.meta.url);
  Deno.chdir(root);
  const paths = Deno.args.length > 0 ? Deno.args : [];
  if (paths.length === 0) { for (const path of SUITES) if (await exists(path)) paths.push(path); }
  const junit = await Deno.makeTempFile({ suffix: ".xml" });
  const { code } = await new Deno.Command(Deno.execPath(), {
    args: ["test", "-A", ...await withStd(), `--junit-path=${junit}`, ...paths],
  }).spawn().status;
  const { passed, failed, skipped } = countTests(await Deno.readTextFile(junit));
  await Deno.remove(junit);
  // A file that does not compile, or a leak after the last test, fails without a test of its own.
  const lost = code !== 0 && failed === 0 ? 1 : 0;
  console.log(`${passed} passed, ${failed + lost} failed${skipped ? `, ${skipped} skipped` : ""}`);
  Deno.exit(code !== 0 || failed > 0 ? 1 : 0);
}
