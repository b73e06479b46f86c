/**
 * Runs every Deno test (or those of the paths given) with the chosen `@std` provider, and ends with `N passed, N failed`.
 * Prints that line from JUnit reports, so that a test file that does not load counts as failed.
 */
import { withStd } from "../lib/std/provider.ts";

const SUITES = [
  "tests/unit",
  "tests/conformance",
  "tests/integration",
  "tests/cli",
  "tests/faults/sample_test.ts",
];
/** Most tests wait for a process or a server: two of these parts run beside each other, each part in a process of its own. */
const PARTS = 24;
const AT_ONCE = 2;

interface Outcome {
  passed: number;
  failed: number;
  skipped: number;
}

/** Passed and failed tests of a JUnit report; a describe() that holds tests is not a test itself. */
export function countTests(junit: string): Outcome {
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

/** Runs `deno test` with the arguments; with `show` the output is shown as it comes, otherwise when the tests are done. */
async function test(args: readonly string[], show: boolean): Promise<Outcome> {
  const junit = await Deno.makeTempFile({ suffix: ".xml" });
  const command = new Deno.Command(Deno.execPath(), {
    args: ["test", "-A", `--junit-path=${junit}`, ...args],
    stdout: show ? "inherit" : "piped",
    stderr: show ? "inherit" : "piped",
  });
  let code: number;
  if (show) ({ code } = await command.spawn().status);
  else {
    const result = await command.output();
    code = result.code;
    for (const output of [result.stderr, result.stdout]) console.log(new TextDecoder().decode(output).trim());
  }
  const counted = countTests(await Deno.readTextFile(junit));
  await Deno.remove(junit);
  // A file that does not compile, or a leak after the last test, fails without a test of its own.
  const lost = code !== 0 && counted.failed === 0 ? 1 : 0;
  return { ...counted, failed: counted.failed + lost };
}

/** Types are checked first and once; then the parts are taken one after the other by whoever is free. */
async function testAll(options: readonly string[]): Promise<Outcome[]> {
  const checked = await test([...options, "--no-run", ...SUITES], true);
  if (checked.failed > 0) return [checked];
  const outcomes: Outcome[] = [];
  const parts = Array.from({ length: PARTS }, (_, at) => `--shard=${at + 1}/${PARTS}`).values();
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    for (const part of parts) outcomes.push(await test([...options, "--no-check", part, ...SUITES], false));
  }));
  return outcomes;
}

if (import.meta.main) {
  Deno.chdir(new URL("..", import.meta.url));
  const options = await withStd();
  const outcomes = Deno.args.length > 0
    ? [await test([...options, ...Deno.args], true)]
    : await testAll(options);
  const total = (what: keyof Outcome) => outcomes.reduce((sum, outcome) => sum + outcome[what], 0);
  const [passed, failed, skipped] = [total("passed"), total("failed"), total("skipped")];
  console.log(`${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ""}`);
  Deno.exit(failed > 0 || passed === 0 ? 1 : 0);
}
