/** Runs the real command as a process, to test its output and exit code. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll } from "@std/testing/bdd";
import type { Command } from "../../cli/command.ts";
import type { StageName } from "../../lib/pipeline/stage.ts";
import { withStd } from "../../lib/std/provider.ts";

const ROOT = new URL("../..", import.meta.url);
const STD = await withStd();

/** Exit code and output of a command. */
export interface CommandResult {
  /** Exit code. */
  code: number;
  /** Text on stdout. */
  stdout: string;
  /** Text on stderr. */
  stderr: string;
}

/** A running command. */
export interface Running {
  /** The process. */
  child: Deno.ChildProcess;
  /** Resolves when it has exited and its streams are closed. */
  ended: Promise<CommandResult>;
}

/**
 * Returns the environment without variables that influence the command: its own, and those that npx sets, such as the
 * path of `.npmrc`. Files with settings that lie in this folder are left out, too.
 */
function cleanEnvironment(): Record<string, string> {
  const all = Deno.env.toObject();
  const kept = Object.entries(all).filter(([name]) => !/^(SALESFLOW_|npm_|INIT_CWD$)/.test(name));
  return { ...Object.fromEntries(kept), SALESFLOW_ENV_FILE: "/dev/null", SALESFLOW_CONFIG: "/dev/null" };
}

/** Loads the declarations of all commands, in the order of the alphabet. */
export async function loadCommands(): Promise<Command[]> {
  const folder = new URL("cli/commands/", `${ROOT}/`);
  const names = (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).sort();
  return await Promise.all(names.map(async (name) => (await import(new URL(name, folder).href)).default));
}

/** Returns the arguments of deno that run `salesflow ARGS…` from source. */
export function denoArguments(args: readonly string[], permissions: readonly string[] = ["-A"]): string[] {
  return ["run", ...permissions, ...STD, "cli/main.ts", ...args];
}

/**
 * Starts `salesflow ARGS…`, without a wrapper process.
 *
 * @param options `keepOutput` leaves stdout to the caller, to read it while the command runs; `permissions` are flags
 *   for deno, `-A` by default
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

/** Runs `salesflow ARGS…` and waits until it exits. */
export function run(args: readonly string[], env: Record<string, string> = {}): Promise<CommandResult> {
  return start(args, env).ended;
}

/**
 * Runs `salesflow ARGS…` on a pseudoterminal, and returns what it writes.
 *
 * @param options `columns` is the terminal's width, 120 by default; `permissions` are flags for deno, `-A` by default
 */
export async function runOnTerminal(
  args: readonly string[],
  env: Record<string, string> = {},
  { columns = 120, permissions }: { columns?: number; permissions?: readonly string[] } = {},
): Promise<{ code: number; screen: string }> {
  const words = [Deno.execPath(), ...denoArguments(args, permissions)]
    .map((word) => `'${word.replaceAll("'", `'\\''`)}'`);
  const { code, stdout } = await new Deno.Command("script", {
    args: ["-qec", `stty cols ${columns}; ${words.join(" ")}`, "/dev/null"],
    cwd: ROOT,
    clearEnv: true,
    env: { ...cleanEnvironment(), TERM: "xterm", CI: "", SHELL: "/bin/sh", ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).output();
  return { code, screen: new TextDecoder().decode(stdout) };
}

/** Parses the lines of stderr, each of which must be JSON. */
export function logLines(stderr: string): Record<string, unknown>[] {
  return stderr.trimEnd().split("\n").map((line) => JSON.parse(line));
}

/** Waits until the file exists; rejects if the command exits first. */
export async function waitForFile(path: string, { ended }: Running): Promise<void> {
  let early: CommandResult | undefined;
  ended.then((result) => early = result);
  while (!await Deno.stat(path).then(() => true, () => false)) {
    if (early) throw new Error(`The command exited before ${path} existed: ${early.stderr}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** A running `salesflow up`; commands with the same home use its servers. */
export interface Servers {
  /** URL of PostgreSQL. */
  postgresUrl: string;
  /** URL of ClickHouse. */
  clickhouseUrl: string;
  /** Everything it has printed. */
  output: string;
  /** Sends SIGINT; resolves to the exit code. */
  stop(): Promise<number>;
}

/** Starts `salesflow up` and waits until it has printed the URLs. */
export async function startServers(home: string, permissions?: readonly string[]): Promise<Servers> {
  const options = { keepOutput: true, ...(permissions ? { permissions } : {}) };
  const { child, ended } = start(["up", "--home", home], {}, options);
  const reader = child.stdout.getReader();
  let text = "";
  while (!text.includes("Press Ctrl-C to stop")) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`salesflow up exited: ${(await ended).stderr}`);
    text += new TextDecoder().decode(value);
  }
  return {
    postgresUrl: /^PostgreSQL: (postgres\S+)$/m.exec(text)![1]!,
    clickhouseUrl: /^ClickHouse: (http:\S+)$/m.exec(text)![1]!,
    output: text,
    async stop() {
      child.kill("SIGINT");
      const { code } = await ended;
      await reader.cancel();
      return code;
    },
  };
}

/** Database URLs where nothing listens, for tests of commands that must not connect or must fail to. */
export const UNREACHABLE_DATABASES = {
  SALESFLOW_POSTGRES_URL: "postgres://shop@127.0.0.1:1/shop",
  SALESFLOW_CLICKHOUSE_URL: "http://127.0.0.1:1",
  SALESFLOW_RETRIES: "0",
} as const;

/** Fails unless the command succeeded and wrote nothing to stdout. */
export function assertDone({ code, stdout, stderr }: CommandResult): void {
  assertEquals([code, stdout], [0, ""], stderr);
}

/** A temporary home folder of the tests of a file. */
export class Home {
  #path: string | undefined;

  /** Creates the folder. */
  async create(): Promise<void> {
    this.#path = await Deno.makeTempDir({ prefix: "salesflow-cli-" });
  }

  /** Removes the folder. */
  async remove(): Promise<void> {
    await Deno.remove(this.path, { recursive: true });
  }

  /** Path of the folder. */
  get path(): string {
    if (this.#path === undefined) throw new Error("The home exists only while tests run");
    return this.#path;
  }

  /** Appends `--home` to the arguments of a command. */
  args(...args: string[]): string[] {
    return [...args, "--home", this.path];
  }

  /** Parses a JSON file below runs/. */
  async readJson(path: string): Promise<Record<string, unknown>> {
    return JSON.parse(await Deno.readTextFile(`${this.path}/runs/${path}`));
  }

  /** Returns whether a file or folder exists below runs/. */
  async exists(path: string): Promise<boolean> {
    return await Deno.stat(`${this.path}/runs/${path}`).then(() => true, () => false);
  }
}

/** Returns a home that exists while the tests of the file run. Call at the top level of a test file. */
export function useHome(): Home {
  const home = new Home();
  beforeAll(() => home.create());
  afterAll(() => home.remove());
  return home;
}

/** Runs a stage command with unreachable databases; fails unless it exits with 75 and records the failure. */
export async function assertRecordsOutage(home: Home, stage: StageName, runId: string): Promise<void> {
  const args = home.args(stage, "--as-of", runId);
  const { code, stdout, stderr } = await run(args, UNREACHABLE_DATABASES);
  assertEquals([code, stdout], [75, ""], stderr);
  const { logger, message } = logLines(stderr).at(-1)!;
  assertEquals(logger, `salesflow.${stage}`);
  assertStringIncludes(String(message), "PostgreSQL at 127.0.0.1:1/shop");
  const record = await home.readJson(`${runId}/stages/${stage}.json`);
  assertEquals([record.stage, record.status], [stage, "failed"]);
  assertEquals((record.error as { exit_code: number }).exit_code, 75);
}
