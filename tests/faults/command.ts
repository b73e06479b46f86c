/** The real command as a process that can be killed, and what it leaves behind. */
import { withStd } from "../../lib/std/provider.ts";

const STD = await withStd();
const ROOT = new URL("../..", import.meta.url);

/** A finished command. */
export interface Outcome {
  code: number;
  /** What killed it, if anything did. */
  signal: Deno.Signal | null;
  stdout: string;
  stderr: string;
}

/** A running command; its process is the command itself, not a wrapper. */
export interface Running {
  child: Deno.ChildProcess;
  outcome: Promise<Outcome>;
}

async function textOf(stream: ReadableStream<Uint8Array>, onText: (text: string) => void): Promise<string> {
  let all = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    all += text;
    onText(text);
  }
  return all;
}

/**
 * Starts `salesflow ARGS…` from source.
 *
 * @param onError is given what comes on standard error as it comes
 * @param prefix stands before the command line; it must end in the command itself
 */
export function start(
  args: string[],
  env: Record<string, string> = {},
  onError: (text: string) => void = () => {},
  prefix: readonly string[] = [],
): Running {
  const [program, ...rest] = [...prefix, Deno.execPath(), "run", "-A", ...STD, "cli/main.ts", ...args];
  const child = new Deno.Command(program!, {
    args: rest,
    cwd: ROOT,
    env: { SALESFLOW_LOG_FORMAT: "json", ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const outcome = (async () => {
    const [stdout, stderr] = await Promise.all([
      textOf(child.stdout, () => {}),
      textOf(child.stderr, onError),
    ]);
    const { code, signal } = await child.status;
    return { code, signal, stdout, stderr };
  })();
  return { child, outcome };
}

/** Runs `salesflow ARGS…` to its end. */
export async function run(args: string[], env: Record<string, string> = {}): Promise<Outcome> {
  return await start(args, env).outcome;
}

/** Where a process works; PostgreSQL's workers name their folder nowhere else. */
function workingFolder(pid: string): string {
  return Deno.readLinkSync(`/proc/${pid}/cwd`);
}

/** Processes that work in this folder or whose command line or environment names it: their command lines by pid. */
export function processesOf(folder: string): Map<number, string> {
  const found = new Map<number, string>();
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name) || Number(name) === Deno.pid) continue;
    try {
      const line = Deno.readTextFileSync(`/proc/${name}/cmdline`).replaceAll("\0", " ").trim();
      const named = line.includes(folder) || `${workingFolder(name)}/`.startsWith(`${folder}/`) ||
        Deno.readTextFileSync(`/proc/${name}/environ`).includes(folder);
      if (named) found.set(Number(name), line);
    } catch {
      // Gone meanwhile.
    }
  }
  return found;
}

/** Folders of a home in which PostgreSQL may work: root may have had to move its data. */
function postgresFolders(home: string): string[] {
  const own = `${home}/postgres`;
  try {
    return [own, Deno.readTextFileSync(`${own}/moved-to.txt`).trim()];
  } catch {
    return [own];
  }
}

/** The process that PostgreSQL of a home hangs on at the moment: its server, or the program that makes its files. */
export function postgresOf(home: string): number | undefined {
  const parents = new Map<number, number>();
  for (const folder of postgresFolders(home)) {
    for (const pid of processesOf(folder).keys()) {
      try {
        const [, name = "", parent] = /\((.*)\) \S (\d+)/.exec(Deno.readTextFileSync(`/proc/${pid}/stat`)) ??
          [];
        if (["postgres", "initdb"].includes(name)) parents.set(pid, Number(parent));
      } catch {
        // Gone meanwhile.
      }
    }
  }
  return [...parents.keys()].find((pid) => !parents.has(parents.get(pid)!));
}

/** Waits until `condition` holds; false when it does not within `limitMs`. */
export async function until(condition: () => boolean | Promise<boolean>, limitMs: number): Promise<boolean> {
  const deadline = performance.now() + limitMs;
  while (!await condition()) {
    if (performance.now() > deadline) return false;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return true;
}
