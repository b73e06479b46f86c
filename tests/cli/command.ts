/** The real command as a process of its own, for tests of what people see. */
import { withStd } from "../../lib/std/provider.ts";

const ROOT = new URL("../..", import.meta.url);
const STD = await withStd();

/** How a command ended. */
export interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

/** A running command. */
export interface Running {
  child: Deno.ChildProcess;
  ended: Promise<Ended>;
}

/**
 * The environment without anything that means something to the command: neither its own variables nor those by
 * which npx hands its settings on, such as whose `.npmrc` is to be read.
 */
function cleanEnvironment(): Record<string, string> {
  const all = Deno.env.toObject();
  return Object.fromEntries(
    Object.entries(all).filter(([name]) => !/^(SALESFLOW_|npm_|INIT_CWD$)/.test(name)),
  );
}

/** Arguments for deno that run `salesflow ARGS…` from source. */
export function denoArguments(args: readonly string[], permissions: readonly string[] = ["-A"]): string[] {
  return ["run", ...permissions, ...STD, "cli/main.ts", ...args];
}

/**
 * Starts `salesflow ARGS…`; the process is the command itself.
 *
 * @param options `keepOutput` leaves standard output to the caller, who reads it while the command runs;
 *   `permissions` are flags for deno, everything by default
 */
export function start(
  args: readonly string[],
  env: Record<string, string> = {},
  { keepOutput = false, permissions }: { keepOutput?: boolean; permissions?: readonly string[] } = {},
): Running {
  const child = new Deno.Command(Deno.execPath(), {
    args: denoArguments(args, permissions),
    cwd: ROOT,
    clearEnv: true,
    env: { ...cleanEnvironment(), NO_COLOR: "1", ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const text = (stream: ReadableStream<Uint8Array<ArrayBuffer>>) => new Response(stream).text();
  const stdout = keepOutput ? Promise.resolve("") : text(child.stdout);
  const ended = Promise.all([child.status, stdout, text(child.stderr)])
    .then(([{ code }, stdout, stderr]) => ({ code, stdout, stderr }));
  return { child, ended };
}

/** Runs `salesflow ARGS…` to its end. */
export function run(args: readonly string[], env: Record<string, string> = {}): Promise<Ended> {
  return start(args, env).ended;
}

/** What the command writes on a terminal of its own, 120 columns wide. */
export async function runOnTerminal(
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<{ code: number; screen: string }> {
  const words = [Deno.execPath(), ...denoArguments(args)].map((word) => `'${word.replaceAll("'", `'\\''`)}'`);
  const { code, stdout } = await new Deno.Command("script", {
    args: ["-qec", `stty cols 120; ${words.join(" ")}`, "/dev/null"],
    cwd: ROOT,
    clearEnv: true,
    env: { ...cleanEnvironment(), TERM: "xterm", SHELL: "/bin/sh", ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).output();
  return { code, screen: new TextDecoder().decode(stdout) };
}

/** Log lines, each of which must be JSON. */
export function logLines(stderr: string): Record<string, unknown>[] {
  return stderr.trimEnd().split("\n").map((line) => JSON.parse(line));
}

/** Resolves when the file exists; rejects when the command ends before. */
export async function whenThere(path: string, { ended }: Running): Promise<void> {
  let early: Ended | undefined;
  ended.then((result) => early = result);
  while (!await Deno.stat(path).then(() => true, () => false)) {
    if (early) throw new Error(`The command ended before ${path} was there: ${early.stderr}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** `salesflow up`, which serves all commands of a home until it is stopped. */
export interface Servers {
  postgresUrl: string;
  clickhouseUrl: string;
  /** All that it printed. */
  said: string;
  /** Stops it with Ctrl-C; resolves to its exit code. */
  stop(): Promise<number>;
}

/** Starts `salesflow up` and waits until it has said how to connect. */
export async function startServers(home: string, permissions?: readonly string[]): Promise<Servers> {
  const options = { keepOutput: true, ...(permissions ? { permissions } : {}) };
  const { child, ended } = start(["up", "--home", home], {}, options);
  const reader = child.stdout.getReader();
  let text = "";
  while (!text.includes("Ctrl-C stops both")) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`salesflow up ended: ${(await ended).stderr}`);
    text += new TextDecoder().decode(value);
  }
  return {
    postgresUrl: /^PostgreSQL: (postgres\S+)$/m.exec(text)![1]!,
    clickhouseUrl: /^ClickHouse: (http:\S+)$/m.exec(text)![1]!,
    said: text,
    async stop() {
      child.kill("SIGINT");
      const { code } = await ended;
      await reader.cancel();
      return code;
    },
  };
}
