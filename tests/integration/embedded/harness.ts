/** Shared by the tests of the embedded databases: commands in their own processes, and checks of what they leave. */
import { assert, assertEquals } from "@std/assert";
import { createClient } from "@clickhouse/client";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import pg from "pg";
import { type Embedded, startEmbedded } from "../../../lib/embedded/embedded.ts";
import { exists } from "../../../lib/embedded/files/exists.ts";
import { isUnlocked } from "../../../lib/embedded/files/file_lock.ts";
import { homeFiles, readState } from "../../../lib/embedded/host/home_files.ts";
import { type EngineName, ENGINES } from "../../../lib/embedded/engines/packages.ts";
import { localImportMap } from "../../../lib/std/provider.ts";

/** The project's root folder. */
export const PROJECT = fileURLToPath(import.meta.resolve("../../../"));
const POLL_MS = 20;
/** Upper limit for everything these tests wait for, even on a busy machine. */
const TIMEOUT_MS = 30_000;

/** What a command prints once its databases accept connections. */
export interface Report {
  postgresUrl: string;
  clickhouseUrl: string;
  owned: boolean;
  pid: number;
}

/** A command in its own process. */
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
    first.reject(new Error("the command exited without a report"));
    return text;
  }

  /** Waits for the command to exit; returns whether it succeeded and released its databases. */
  async exited(): Promise<boolean> {
    const { success } = await this.#child.status;
    return success && (await this.#output).includes("closed");
  }

  /** Closes the command's stdin and waits until it has exited. */
  async finish(): Promise<boolean> {
    await this.#child.stdin.close();
    return await this.exited();
  }

  /** Kills the command, so that it cannot clean up. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.status;
    await this.#child.stdin.close().catch(() => {});
    await this.#output;
  }

  /** Interrupts the whole process group, as the terminal does at Ctrl-C. */
  interruptGroup(): void {
    Deno.kill(-this.#child.pid, "SIGINT");
  }

  /** Closes the pipe of a command that exited on a signal. */
  async closeStdin(): Promise<void> {
    await this.#child.stdin.close().catch(() => {});
  }
}

/** How a command is run. */
export interface CommandOptions extends Pick<Deno.CommandOptions, "uid" | "gid" | "env" | "cwd" | "stderr"> {
  /** The Deno executable. */
  deno?: string;
  /** The project's root folder. */
  project?: string;
}

/** Starts a command on a home, in its own process group, as a terminal does. */
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

/** Waits until `condition` returns true. */
export async function waitUntil(what: string, condition: () => Promise<boolean> | boolean): Promise<void> {
  const deadline = Date.now() + TIMEOUT_MS;
  while (!await condition()) {
    if (Date.now() > deadline) throw new Error(`Timed out after ${TIMEOUT_MS / 1000} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** Returns the process ids of PostgreSQL's servers in a home. */
export async function findServers(home: string): Promise<number[]> {
  const script =
    'for p in /proc/[0-9]*; do case "$(readlink "$p/cwd")" in "$1"/*) echo "${p#/proc/}";; esac; done';
  const { stdout } = await new Deno.Command("/bin/sh", { args: ["-c", script, "sh", home], stderr: "null" })
    .output();
  return new TextDecoder().decode(stdout).split("\n").filter(Boolean).map(Number).sort((a, b) => a - b);
}

/** Creates a home with a stopped PostgreSQL; copies of it start faster than empty homes. */
export async function createTemplate(): Promise<string> {
  const template = await Deno.makeTempDir();
  const databases = await startEmbedded(template, { engines: ["postgres"] });
  await databases.close();
  return template;
}

/** Creates a home for a test, empty or a copy of a template. */
export async function createHome(template?: string): Promise<string> {
  const home = await Deno.makeTempDir();
  if (template === undefined) return home;
  const { success } = await new Deno.Command("cp", { args: ["-a", `${template}/.`, home] }).output();
  if (!success) throw new Error(`cannot copy ${template}`);
  return home;
}

/** Waits until no host and no server of a home is running. */
export async function waitUntilStopped(home: string): Promise<void> {
  for (const engine of ENGINES) {
    const files = homeFiles(home, engine);
    if (!await exists(files.folder)) continue;
    await waitUntil(`the host of ${engine} stops`, () => isUnlocked(files.hostLock));
  }
  await waitUntil(`the servers of ${home} stop`, async () => (await findServers(home)).length === 0);
}

/** Returns the process id of a host. */
export async function findHostPid(home: string, engine: EngineName): Promise<number> {
  const state = await readState(homeFiles(home, engine));
  if (!state) throw new Error(`${engine} does not run in ${home}`);
  return state.hostPid;
}

/** Kills the hosts of a home, as the kernel does when memory runs out. */
export async function killHosts(home: string): Promise<void> {
  for (const engine of ENGINES) Deno.kill(await findHostPid(home, engine), "SIGKILL");
}

/** Executes one statement on PostgreSQL; returns its rows. */
export async function queryPostgres<T extends pg.QueryResultRow>(url: string, sql: string): Promise<T[]> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return (await client.query<T>(sql)).rows;
  } finally {
    await client.end();
  }
}

/** Executes one query on ClickHouse; returns its rows. */
export async function queryClickHouse<T>(url: string, query: string): Promise<T[]> {
  const client = createClient({ url, log: { level: 127 } });
  try {
    return await (await client.query({ query, format: "JSONEachRow" })).json<T>();
  } finally {
    await client.close();
  }
}

/** Executes one statement without a result on ClickHouse. */
export async function executeClickHouse(url: string, query: string): Promise<void> {
  const client = createClient({ url, log: { level: 127 } });
  try {
    await client.command({ query });
  } finally {
    await client.close();
  }
}

/** Starts the databases with a committed row in each. */
export async function startWithRows(home: string): Promise<Embedded> {
  const databases = await startEmbedded(home);
  await queryPostgres(databases.postgresUrl, "CREATE TABLE kept AS SELECT 1 AS a");
  const table = "CREATE TABLE kept (a UInt8) ENGINE = MergeTree ORDER BY a";
  await executeClickHouse(databases.clickhouseUrl, table);
  await executeClickHouse(databases.clickhouseUrl, "INSERT INTO kept VALUES (1)");
  return databases;
}

/** Restarts the databases; both must have kept the row of {@linkcode startWithRows} and accept another one. */
export async function assertRowsKept(home: string): Promise<void> {
  const databases = await startEmbedded(home);
  try {
    assert(databases.owned);
    assertEquals(await queryPostgres(databases.postgresUrl, "SELECT a FROM kept"), [{ a: 1 }]);
    assertEquals(await queryClickHouse(databases.clickhouseUrl, "SELECT a FROM kept"), [{ a: 1 }]);
    await queryPostgres(databases.postgresUrl, "INSERT INTO kept VALUES (2)");
    await executeClickHouse(databases.clickhouseUrl, "INSERT INTO kept VALUES (2)");
  } finally {
    await databases.close();
  }
}
