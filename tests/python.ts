/** Python virtual environments for tests, created from locked requirements and recreated when a lock changes. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

/** The repository's root. */
export const ROOT: URL = new URL("..", import.meta.url);

/** JVM options for short Spark sessions: C2 compilation would take longer than it saves. */
export const SHORT_SESSIONS = { SPARK_SUBMIT_OPTS: "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC" } as const;

/** Runs a command in the repository's root. With `capture`, its stdout is both shown and returned. */
export async function run(
  command: string,
  args: readonly string[],
  { capture = false, env = {} }: { capture?: boolean; env?: Record<string, string> } = {},
): Promise<{ code: number; output: string }> {
  const stdout = capture ? "piped" : "inherit";
  const child = new Deno.Command(command, { args: [...args], env, cwd: ROOT, stdout }).spawn();
  let output = "";
  if (capture) {
    for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
      output += text;
      await Deno.stdout.write(new TextEncoder().encode(text));
    }
  }
  return { code: (await child.status).code, output };
}

async function runOrThrow(command: string, args: readonly string[]): Promise<void> {
  const { code } = await run(command, args);
  if (code !== 0) throw new Error(`${command} ${args.join(" ")} exited with ${code}`);
}

/** Returns the stdout of a command; undefined if it fails or does not exist. */
async function tryCapture(command: string, args: readonly string[]): Promise<string | undefined> {
  try {
    const { success, stdout } = await new Deno.Command(command, { args: [...args], stderr: "null" }).output();
    return success ? new TextDecoder().decode(stdout).trim() : undefined;
  } catch {
    return undefined;
  }
}

/** Returns the interpreters of a version that pyenv has installed. */
function findPyenvPythons(wanted: string): string[] {
  const folder = `${Deno.env.get("PYENV_ROOT") ?? `${Deno.env.get("HOME")}/.pyenv`}/versions`;
  try {
    const names = [...Deno.readDirSync(folder)].map(({ name }) => name);
    return names.filter((name) => name.startsWith(`${wanted}.`)).sort().map((name) =>
      `${folder}/${name}/bin/python`
    );
  } catch {
    return [];
  }
}

/**
 * Finds a Python interpreter on the PATH, in pyenv's folder or through uv.
 *
 * @param versions acceptable versions such as `3.12`, in order of preference
 * @throws {Error} when there is none
 */
export async function findPython(versions: readonly string[]): Promise<string> {
  for (const version of versions) {
    const known = await tryCapture("uv", ["python", "find", version]);
    for (const python of [`python${version}`, ...findPyenvPythons(version), ...(known ? [known] : [])]) {
      const found = await tryCapture(python, [
        "-c",
        "import sys, venv; print('%d.%d' % sys.version_info[:2])",
      ]);
      if (found === version) return python;
    }
  }
  throw new Error(`Cannot find Python ${versions.join(" or ")}: install it, with uv for example`);
}

/**
 * Returns the folder of a virtual environment with exactly the locked packages. Creates it if needed, with uv if
 * installed, otherwise with pip.
 *
 * @param home folder of the environments, relative to the root
 * @param locks locked requirements files, relative to the root
 */
export async function ensureVenv(home: string, locks: readonly string[], python: string): Promise<string> {
  const hash = createHash("sha256");
  for (const lock of locks) hash.update(readFileSync(new URL(lock, ROOT)));
  const folder = new URL(`${home}/venv-${hash.digest("hex").slice(0, 12)}`, ROOT).pathname;
  const ready = `${folder}/ready`;
  await Deno.mkdir(new URL(home, ROOT), { recursive: true });
  using lock = await Deno.open(new URL(`${home}/lock`, ROOT), { create: true, write: true });
  await lock.lock(true); // another suite may be creating the same environment
  try {
    await Deno.stat(ready);
    return folder;
  } catch {
    await Deno.remove(folder, { recursive: true }).catch(() => {});
  }
  // Without looking at dependencies: a lock has all of them, and pip refuses extras of a package that is not in its newest version.
  const locked = ["--no-deps", "--require-hashes", ...locks.flatMap((lock) => ["-r", lock])];
  console.log(`Creating a Python environment from ${locks.join(" and ")}`);
  await runOrThrow(python, ["-m", "venv", folder]);
  if (await tryCapture("uv", ["--version"])) {
    await runOrThrow("uv", ["pip", "install", "--quiet", "--python", `${folder}/bin/python`, ...locked]);
  } else {
    await runOrThrow(`${folder}/bin/python`, ["-m", "pip", "install", "--quiet", ...locked]);
  }
  await Deno.writeTextFile(ready, "");
  return folder;
}

/** Calls {@linkcode ensureVenv} for the Spark engine and its tests. Needs Python 3.10 or newer. */
export async function ensureSparkVenv(): Promise<string> {
  const locks = ["k8s/spark/requirements.txt", "tests/spark/requirements.txt"];
  return await ensureVenv(".cache/spark", locks, "python3");
}

/** Lints Python code and checks its format with ruff; returns the number of failed checks, up to two. */
export async function lint(venv: string, cache: string, code: readonly string[]): Promise<number> {
  let failed = 0;
  for (const args of [["check"], ["format", "--check"]]) {
    const { code: result } = await run(`${venv}/bin/ruff`, [...args, "--cache-dir", cache, ...code]);
    if (result !== 0) failed++;
  }
  return failed;
}

/** Parses the numbers of tests from pytest's last line, such as `1 failed, 3 passed, 1 error in 2.00s`. */
export function countTests(output: string): { passed: number; failed: number; skipped: number } {
  const summary = [...output.matchAll(/^=* ?(?:\d+ [a-z]+, )*\d+ [a-z]+ in [\d.]+s/gm)].at(-1)?.[0] ?? "";
  const count = (word: string) => Number(new RegExp(`(\\d+) ${word}`).exec(summary)?.[1] ?? 0);
  return { passed: count("passed"), failed: count("failed") + count("errors?"), skipped: count("skipped") };
}

/** Prints the result of pytest and of preceding checks as `N passed, N failed`, and exits. */
export function reportAndExit(pytest: { code: number; output: string }, failedChecks: number): never {
  const { passed, failed, skipped } = countTests(pytest.output);
  // A collection error or an aborted session fails without a failed test.
  const lost = pytest.code !== 0 && failed === 0 ? 1 : 0;
  console.log(
    `${passed} passed, ${failed + failedChecks + lost} failed${skipped ? `, ${skipped} skipped` : ""}`,
  );
  Deno.exit(pytest.code !== 0 || failedChecks > 0 ? 1 : 0);
}
