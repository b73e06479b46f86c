/** Runs the real command as a process that can be killed, and finds its processes. */
import { withStd } from "../../lib/std/provider.ts";

const STD = await withStd();
const ROOT = new URL("../..", import.meta.url);

/** A finished command. */
export interface Outcome {
  code: number;
  /** The signal that killed it, if any. */
  signal: Deno.Signal | null;
  stdout: string;
  stderr: string;
}

/** A running command, without a wrapper process. */
export interface Running {
  child: Deno.ChildProcess;
  outcome: Promise<Outcome>;
}

async function readText(stream: ReadableStream<Uint8Array>, onText: (text: string) => void): Promise<string> {
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
 * @param onError receives stderr as it is written
 * @param prefix prefix of the command line, which must exec the command
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
    env: {
      SALESFLOW_LOG_FORMAT: "json",
      SALESFLOW_ENV_FILE: "/dev/null",
      SALESFLOW_CONFIG: "/dev/null",
      ...env,
    },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const outcome = (async () => {
    const [stdout, stderr] = await Promise.all([
      readText(child.stdout, () => {}),
      readText(child.stderr, onError),
    ]);
    const { code, signal } = await child.status;
    return { code, signal, stdout, stderr };
  })();
  return { child, outcome };
}

/** Runs `salesflow ARGS…` and waits until it exits. */
export async function run(args: string[], env: Record<string, string> = {}): Promise<Outcome> {
  return await start(args, env).outcome;
}

/** Returns the working directory of a process. Only there do PostgreSQL's workers refer to their folder. */
function readWorkingDirectory(pid: string): string {
  return Deno.readLinkSync(`/proc/${pid}/cwd`);
}

/** Returns the command lines, by pid, of processes whose working directory, command line or environment refers to the folder. */
export function processesOf(folder: string): Map<number, string> {
  const found = new Map<number, string>();
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name) || Number(name) === Deno.pid) continue;
    try {
      const line = Deno.readTextFileSync(`/proc/${name}/cmdline`).replaceAll("\0", " ").trim();
      const matches = line.includes(folder) || `${readWorkingDirectory(name)}/`.startsWith(`${folder}/`) ||
        Deno.readTextFileSync(`/proc/${name}/environ`).includes(folder);
      if (matches) found.set(Number(name), line);
    } catch {
      // The process has exited.
    }
  }
  return found;
}

/** Returns the folders that PostgreSQL of a home may use. For root the data may be outside of the home. */
function postgresFolders(home: string): string[] {
  const own = `${home}/postgres`;
  try {
    return [own, Deno.readTextFileSync(`${own}/moved-to.txt`).trim()];
  } catch {
    return [own];
  }
}

/** Returns the pid of the topmost PostgreSQL process of a home: the server, or initdb. */
export function postgresOf(home: string): number | undefined {
  const parents = new Map<number, number>();
  for (const folder of postgresFolders(home)) {
    for (const pid of processesOf(folder).keys()) {
      try {
        const [, name = "", parent] = /\((.*)\) \S (\d+)/.exec(Deno.readTextFileSync(`/proc/${pid}/stat`)) ??
          [];
        if (["postgres", "initdb"].includes(name)) parents.set(pid, Number(parent));
      } catch {
        // The process has exited.
      }
    }
  }
  return [...parents.keys()].find((pid) => !parents.has(parents.get(pid)!));
}

/** Waits until `condition` returns true; returns false after `limitMs`. */
export async function until(condition: () => boolean | Promise<boolean>, limitMs: number): Promise<boolean> {
  const deadline = performance.now() + limitMs;
  while (!await condition()) {
    if (performance.now() > deadline) return false;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return true;
}
