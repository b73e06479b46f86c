/** A Python environment that holds exactly the locked packages of the Spark engine and its tests, under .cache/. */
import { createHash } from "node:crypto";

/** The repository. */
export const ROOT = new URL("../..", import.meta.url);
/** What the tests keep between two runs, relative to {@linkcode ROOT}. */
export const HOME = ".cache/spark";

const LOCKS = ["k8s/spark/requirements.txt", "tests/spark/requirements.txt"];

async function must(command: string, args: string[]): Promise<void> {
  const { code } = await new Deno.Command(command, { args, cwd: ROOT }).spawn().status;
  if (code !== 0) throw new Error(`${command} ${args.join(" ")} ended with exit code ${code}`);
}

/** Path of the interpreter; the environment is made anew when a lock changes. Needs Python 3.10 or newer. */
export async function pythonEnvironment(): Promise<string> {
  const hash = createHash("sha256");
  for (const lock of LOCKS) hash.update(await Deno.readFile(new URL(lock, ROOT)));
  const folder = new URL(`${HOME}/venv-${hash.digest("hex").slice(0, 12)}`, ROOT).pathname;
  const ready = `${folder}/ready`;
  const python = `${folder}/bin/python`;
  try {
    await Deno.stat(ready);
    return python;
  } catch {
    await Deno.remove(folder, { recursive: true }).catch(() => {});
  }
  await must("python3", ["-m", "venv", folder]);
  const locked = LOCKS.flatMap((lock) => ["-r", lock]);
  await must(python, ["-m", "pip", "install", "--quiet", "--require-hashes", ...locked]);
  await Deno.writeTextFile(ready, "");
  return python;
}
