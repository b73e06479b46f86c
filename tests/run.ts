/**
 * Runs the Deno tests of the paths given, or all, with the chosen `@std` provider, and ends with `N passed, N failed`.
 * That line comes from JUnit reports, so a test file that does not load counts as failed. `--no-check` skips the types.
 */
import { passOnArguments } from "./arguments.ts";
import { withStd } from "../lib/std/provider.ts";

const NO_CHECK = "--no-check";
const SUITES = [
  "tests/unit",
  "tests/conformance",
  "tests/integration",
  "tests/cli",
  "tests/faults/sample_test.ts",
];
/** Most tests wait for a process or a server: two parts run beside each other, each part in a process of its own. */
const AT_ONCE = 2;
/** Small enough that no part keeps the other process waiting for long, large enough to be worth a process. */
const FILES_PER_PART = 12;

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

async function countTestFiles(path: string): Promise<number> {
  if (!(await Deno.stat(path)).isDirectory) return 1;
  let count = 0;
  for await (const { name, isDirectory } of Deno.readDir(path)) {
    if (isDirectory) count += await countTestFiles(`${path}/${name}`);
    else if (name.endsWith("_test.ts")) count++;
  }
  return count;
}

/** Checks types once (unless `check` is false), then runs the paths in parts, each taken by whichever process is free. */
async function testInParts(
  options: readonly string[],
  paths: readonly string[],
  check: boolean,
): Promise<Outcome[]> {
  if (check) {
    const checked = await test([...options, "--no-run", ...paths], true);
    if (checked.failed > 0) return [checked];
  }
  const files = (await Promise.all(paths.map(countTestFiles))).reduce((sum, count) => sum + count, 0);
  const count = Math.max(1, Math.ceil(files / FILES_PER_PART));
  const outcomes: Outcome[] = [];
  const parts = Array.from({ length: count }, (_, at) => `--shard=${at + 1}/${count}`).values();
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    for (const part of parts) outcomes.push(await test([...options, "--no-check", part, ...paths], false));
  }));
  return outcomes;
}

if (import.meta.main) {
  const given = passOnArguments(
    "deno task test [--no-check] [PATHS] [deno test's flags]",
    `Runs the Deno tests of the paths, or all. --no-check skips the types. Other flags, such as --filter NAME, go to deno test.`,
  );
  Deno.chdir(new URL("..", import.meta.url));
  const options = await withStd();
  const args = given.filter((arg) => arg !== NO_CHECK);
  const check = args.length === given.length;
  // Flags such as --filter are for deno test, as one process whose output is seen at once.
  const outcomes = args.some((arg) => arg.startsWith("-"))
    ? [await test([...options, ...given], true)]
    : await testInParts(options, args.length > 0 ? args : SUITES, check);
  const total = (what: keyof Outcome) => outcomes.reduce((sum, outcome) => sum + outcome[what], 0);
  const [passed, failed, skipped] = [total("passed"), total("failed"), total("skipped")];
  console.log(`${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ""}`);
  Deno.exit(failed > 0 || passed === 0 ? 1 : 0);
}
