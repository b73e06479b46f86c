/** What the tests of the embedded databases share: commands in processes of their own, and a look at what they leave. */
import { createClient } from "@clickhouse/client";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import pg from "pg";
import { startEmbedded } from "../../../lib/embedded/embedded.ts";
import { isUnlocked } from "../../../lib/embedded/locks/file_lock.ts";
import { homeFiles, readState } from "../../../lib/embedded/host/home_files.ts";
import { type EngineName, ENGINES } from "../../../lib/embedded/engines/packages.ts";
import { localImportMap } from "../../../lib/std/provider.ts";

/** The folder with the project. */
export const PROJECT = fileURLToPath(import.meta.resolve("../../../"));
const POLL_MS = 20;
/** Nothing that these tests wait for takes longer, not even on a busy machine. */
const PATIENCE_MS = 30_000;

/** What a command says when its databases answer. */
export interface Report {
  postgresUrl: string;
  clickhouseUrl: string;
  owned: boolean;
  pid: number;
}

/** A command in a process of its own. */
export class Command {
  readonly report: Promise<Report>;
  readonly #child: Deno.ChildProcess;
  readonly #output: Promise<string>;

  constructor(child: Deno.ChildProcess) {
    this.#child = child;
    const first = Promise.withResolvers<Report>();
    this.report = first.promise;
    this.#output = this.#read(first);
  }

  async #read(first: PromiseWithResolvers<Report>): Promise<string> {
    let text = "";
    for await (const chunk of this.#child.stdout.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      if (text.includes("\n")) first.resolve(JSON.parse(text.slice(0, text.indexOf("\n"))));
    }
    first.reject(new Error("the command ended without a report"));
    return text;
  }

  /** Waits for the end; whether the command ended well, having let go of its databases. */
  async ended(): Promise<boolean> {
    const { success } = await this.#child.status;
    return success && (await this.#output).includes("closed");
  }

  /** Lets the command end by itself. */
  async finish(): Promise<boolean> {
    await this.#child.stdin.close();
    return await this.ended();
  }

  /** Kills the command at once: it has no chance to clean up. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.status;
    await this.#child.stdin.close().catch(() => {});
    await this.#output;
  }

  /** What the terminal does at Ctrl-C: interrupts the whole process group. */
  interruptGroup(): void {
    Deno.kill(-this.#child.pid, "SIGINT");
  }

  /** Frees the pipe after an end that came from outside. */
  async release(): Promise<void> {
    await this.#child.stdin.close().catch(() => {});
  }
}

/** How a command is run. */
export interface CommandOptions extends Pick<Deno.CommandOptions, "uid" | "gid" | "env" | "cwd" | "stderr"> {
  /** The Deno executable. */
  deno?: string;
  /** The folder with the project. */
  project?: string;
}

/** Starts a command on a home, in a process group of its own, as a terminal does. */
export async function startCommand(home: string, options: CommandOptions = {}): Promise<Command> {
  const { deno = Deno.execPath(), project = PROJECT, ...rest } = options;
  const imports = `data:application/json,${encodeURIComponent(await localImportMap())}`;
  const config = join(project, "deno.json");
  const main = join(project, "tests/integration/embedded/command.ts");
  const child = new Deno.Command(deno, {
    args: ["run", "-A", "--quiet", "--no-lock", `--config=${config}`, `--import-map=${imports}`, main, home],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
    detached: true,
    ...rest,
  }).spawn();
  return new Command(child);
}

/** Waits until `holds` returns true. */
export async function eventually(what: string, holds: () => Promise<boolean> | boolean): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  while (!await holds()) {
    if (Date.now() > deadline) throw new Error(`Waited ${PATIENCE_MS / 1000} s in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** Process ids of PostgreSQL's servers under a home. */
export async function serversUnder(home: string): Promise<number[]> {
  const script =
    'for p in /proc/[0-9]*; do case "$(readlink "$p/cwd")" in "$1"/*) echo "${p#/proc/}";; esac; done';
  const { stdout } = await new Deno.Command("/bin/sh", { args: ["-c", script, "sh", home], stderr: "null" })
    .output();
  return new TextDecoder().decode(stdout).split("\n").filter(Boolean).map(Number).sort((a, b) => a - b);
}

/** A home whose PostgreSQL has been made and stopped; copies of it start sooner than empty homes. */
export async function makeTemplate(): Promise<string> {
  const template = await Deno.makeTempDir();
  const databases = await startEmbedded(template, { engines: ["postgres"] });
  await databases.close();
  return template;
}

/** A home of its own for a test, empty or a copy. */
export async function makeHome(template?: string): Promise<string> {
  const home = await Deno.makeTempDir();
  if (template === undefined) return home;
  const { success } = await new Deno.Command("cp", { args: ["-a", `${template}/.`, home] }).output();
  if (!success) throw new Error(`cannot copy ${template}`);
  return home;
}

/** Waits until nothing of a home runs any more: no host, no server, no state file. */
export async function allGone(home: string): Promise<void> {
  for (const engine of ENGINES) {
    const files = homeFiles(home, engine);
    if (!await exists(files.folder)) continue;
    await eventually(`the host of ${engine} ends`, () => isUnlocked(files.hostLock));
  }
  await eventually(`the servers of ${home} end`, async () => (await serversUnder(home)).length === 0);
}

/** Whether there is a file or folder. */
export async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** The process id of a host. */
export async function hostPid(home: string, engine: EngineName): Promise<number> {
  const state = await readState(homeFiles(home, engine));
  if (!state) throw new Error(`${engine} does not run in ${home}`);
  return state.hostPid;
}

/** Kills the hosts of a home, as the system does when memory runs out. */
export async function killHosts(home: string): Promise<void> {
  for (const engine of ENGINES) Deno.kill(await hostPid(home, engine), "SIGKILL");
}

/** Runs one statement on PostgreSQL; returns its rows. */
export async function askPostgres<T extends pg.QueryResultRow>(url: string, sql: string): Promise<T[]> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return (await client.query<T>(sql)).rows;
  } finally {
    await client.end();
  }
}

/** Runs one query on ClickHouse; returns its rows. */
export async function askClickHouse<T>(url: string, query: string): Promise<T[]> {
  const client = createClient({ url, log: { level: 127 } });
  try {
    return await (await client.query({ query, format: "JSONEachRow" })).json<T>();
  } finally {
    await client.close();
  }
}

/** Runs one statement without rows on ClickHouse. */
export async function tellClickHouse(url: string, query: string): Promise<void> {
  const client = createClient({ url, log: { level: 127 } });
  try {
    await client.command({ query });
  } finally {
    await client.close();
  }
}
