/**
 * Tests the Spark engine in a Python environment of its own: lint, then pytest (arguments are passed on). Ends with
 * `N passed, N failed`. Needs Python 3.10 or newer, Java 17 and PostgreSQL.
 */
import { goTool, VERSITYGW } from "../faults/go_tool.ts";
import { HOME, pythonEnvironment, ROOT } from "./environment.ts";

const CODE = ["k8s/spark", "tests/spark", "tests/bench/spark"];

/** Passed, failed and skipped tests of pytest's last line, such as `1 failed, 3 passed, 1 error in 2.00s`. */
export function countTests(output: string): { passed: number; failed: number; skipped: number } {
  const counts = [...output.matchAll(/^=* ?(?:\d+ [a-z]+, )*\d+ [a-z]+ in [\d.]+s/gm)].at(-1)?.[0] ?? "";
  const count = (word: string) => Number(new RegExp(`(\\d+) ${word}`).exec(counts)?.[1] ?? 0);
  return { passed: count("passed"), failed: count("failed") + count("errors?"), skipped: count("skipped") };
}

/** Runs a command in the repository's root; returns its exit code and, when `capture` is set, what it wrote. */
async function run(
  command: string,
  args: string[],
  { capture = false, env = {} }: { capture?: boolean; env?: Record<string, string> } = {},
): Promise<{ code: number; output: string }> {
  const child = new Deno.Command(command, { args, env, cwd: ROOT, stdout: capture ? "piped" : "inherit" })
    .spawn();
  let output = "";
  if (capture) {
    for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
      output += text;
      await Deno.stdout.write(new TextEncoder().encode(text));
    }
  }
  return { code: (await child.status).code, output };
}

if (import.meta.main) {
  const python = await pythonEnvironment();
  let failedChecks = 0;
  for (const args of [["check"], ["format", "--check"]]) {
    const { code } = await run(python, ["-m", "ruff", ...args, "--cache-dir", `${HOME}/ruff`, ...CODE]);
    if (code !== 0) failedChecks++;
  }
  // Without Go the service cannot be built; what needs it is then shown as skipped.
  const s3Server = await goTool(VERSITYGW) ?? "";
  // A folder of our own: pytest's usual one is cleared by other sessions of pytest.
  const folder = await Deno.makeTempDir({ prefix: "salesflow-spark-" });
  const { code, output } = await run(
    python,
    ["-m", "pytest", "-c", "tests/spark/pytest.ini", `--basetemp=${folder}/t`, "tests/spark", ...Deno.args],
    {
      capture: true,
      env: {
        SALESFLOW_TEST_DENO: Deno.execPath(),
        SALESFLOW_TEST_S3_SERVER: s3Server,
        PYTHONDONTWRITEBYTECODE: "1",
      },
    },
  );
  await Deno.remove(folder, { recursive: true });
  const { passed, failed, skipped } = countTests(output);
  // Tests that could not be collected, or a session that broke off, fail without a test of their own.
  const lost = code !== 0 && failed === 0 ? 1 : 0;
  console.log(
    `${passed} passed, ${failed + failedChecks + lost} failed${skipped ? `, ${skipped} skipped` : ""}`,
  );
  Deno.exit(code !== 0 || failedChecks > 0 ? 1 : 0);
}
