/** Python environments for tests: made once from locked requirements, and made anew when a lock changes. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

/** The repository's root. */
export const ROOT: URL = new URL("..", import.meta.url);

/** For tests' short Spark sessions: Java's second compiler would take longer than it saves. */
export const SHORT_SESSIONS = { SPARK_SUBMIT_OPTS: "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC" } as const;

/** Runs a command in the repository's root; returns its exit code and, with `capture`, its output, which is shown too. */
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

async function must(command: string, args: readonly string[]): Promise<void> {
  const { code } = await run(command, args);
  if (code !== 0) throw new Error(`${command} ${args.join(" ")} ended with exit code ${code}`);
}

async function answers(command: string, args: readonly string[]): Promise<string | undefined> {
  try {
    const { success, stdout } = await new Deno.Command(command, { args: [...args], stderr: "null" }).output();
    return success ? new TextDecoder().decode(stdout).trim() : undefined;
  } catch {
    return undefined;
  }
}

function pyenvVersions(wanted: string): string[] {
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
 * Finds an interpreter of the first version that there is: on the path, in pyenv's folder, or known to uv.
 *
 * @param versions such as `3.12`, best first
 * @throws {Error} when there is none
 */
export async function findPython(versions: readonly string[]): Promise<string> {
  for (const version of versions) {
    const known = await answers("uv", ["python", "find", version]);
    for (const python of [`python${version}`, ...pyenvVersions(version), ...(known ? [known] : [])]) {
      const found = await answers(python, ["-c", "import sys, venv; print('%d.%d' % sys.version_info[:2])"]);
      if (found === version) return python;
    }
  }
  throw new Error(`Cannot find Python ${versions.join(" or ")}: install it, with uv for example`);
}

/**
 * The folder of a virtual environment that holds exactly the locked packages; uv makes it when it is there, otherwise pip.
 *
 * @param home where environments are kept, relative to the root
 * @param locks requirements with hashes, relative to the root
 */
export async function environment(home: string, locks: readonly string[], python: string): Promise<string> {
  const hash = createHash("sha256");
  for (const lock of locks) hash.update(readFileSync(new URL(lock, ROOT)));
  const folder = new URL(`${home}/venv-${hash.digest("hex").slice(0, 12)}`, ROOT).pathname;
  const ready = `${folder}/ready`;
  await Deno.mkdir(new URL(home, ROOT), { recursive: true });
  using lock = await Deno.open(new URL(`${home}/lock`, ROOT), { create: true, write: true });
  await lock.lock(true); // another suite may be making the same environment
  try {
    await Deno.stat(ready);
    return folder;
  } catch {
    await Deno.remove(folder, { recursive: true }).catch(() => {});
  }
  const locked = ["--require-hashes", ...locks.flatMap((lock) => ["-r", lock])];
  console.log(`Making a Python environment of ${locks.join(" and ")}`);
  await must(python, ["-m", "venv", folder]);
  if (await answers("uv", ["--version"])) {
    await must("uv", ["pip", "install", "--quiet", "--python", `${folder}/bin/python`, ...locked]);
  } else {
    await must(`${folder}/bin/python`, ["-m", "pip", "install", "--quiet", ...locked]);
  }
  await Deno.writeTextFile(ready, "");
  return folder;
}

/** The {@linkcode environment} of the Spark engine and its tests. Needs Python 3.10 or newer. */
export async function sparkEnvironment(): Promise<string> {
  const locks = ["k8s/spark/requirements.txt", "tests/spark/requirements.txt"];
  return await environment(".cache/spark", locks, "python3");
}

/** Checks Python code with the ruff of an environment, its style too; returns how many of the two checks failed. */
export async function lint(environment: string, cache: string, code: readonly string[]): Promise<number> {
  let failed = 0;
  for (const args of [["check"], ["format", "--check"]]) {
    const { code: result } = await run(`${environment}/bin/ruff`, [...args, "--cache-dir", cache, ...code]);
    if (result !== 0) failed++;
  }
  return failed;
}

/** Passed, failed and skipped tests of pytest's last line, such as `1 failed, 3 passed, 1 error in 2.00s`. */
export function countTests(output: string): { passed: number; failed: number; skipped: number } {
  const summary = [...output.matchAll(/^=* ?(?:\d+ [a-z]+, )*\d+ [a-z]+ in [\d.]+s/gm)].at(-1)?.[0] ?? "";
  const count = (word: string) => Number(new RegExp(`(\\d+) ${word}`).exec(summary)?.[1] ?? 0);
  return { passed: count("passed"), failed: count("failed") + count("errors?"), skipped: count("skipped") };
}

/** Says how pytest and the checks before it went, as `N passed, N failed`, and ends the program. */
export function finish(pytest: { code: number; output: string }, failedChecks: number): never {
  const { passed, failed, skipped } = countTests(pytest.output);
  // Tests that could not be collected, or a session that broke off, fail without a test of their own.
  const lost = pytest.code !== 0 && failed === 0 ? 1 : 0;
  console.log(
    `${passed} passed, ${failed + failedChecks + lost} failed${skipped ? `, ${skipped} skipped` : ""}`,
  );
  Deno.exit(pytest.code !== 0 || failedChecks > 0 ? 1 : 0);
}
