/** The files of the embedded databases under a home (`SALESFLOW_HOME`). */
import { join } from "node:path";
import type { EngineName } from "./packages.ts";

/** Paths under one home. */
export interface HomeFiles {
  home: string;
  /** Everything below but the data. */
  folder: string;
  /** Held alone while somebody starts or leaves the servers. */
  startLock: string;
  /** Held together by all who use the servers; taken alone by the host to stop them. */
  useLock: string;
  /** Held by the host for as long as it lives. */
  hostLock: string;
  /** What runs now: {@linkcode HostState}. */
  state: string;
  /** Ports and passwords, kept from run to run: {@linkcode Access}. */
  access: string;
  hostLog: string;
  postgresLog: string;
  /** PostgreSQL's files; its data are in `data` below. */
  postgres: string;
  /** The ClickHouse engine's data. */
  clickhouse: string;
}

/** The paths of a home. */
export function homeFiles(home: string): HomeFiles {
  const folder = join(home, "embedded");
  return {
    home,
    folder,
    startLock: join(folder, "start.lock"),
    useLock: join(folder, "use.lock"),
    hostLock: join(folder, "host.lock"),
    state: join(folder, "state.json"),
    access: join(folder, "access.json"),
    hostLog: join(folder, "host.log"),
    postgresLog: join(folder, "postgres.log"),
    postgres: join(home, "postgres"),
    clickhouse: join(home, "clickhouse"),
  };
}

/** The running servers, as the host writes them down once they answer. */
export interface HostState {
  hostPid: number;
  /** Connection URLs with passwords. */
  urls: Partial<Record<EngineName, string>>;
}

/** What stays the same from run to run where it can. */
export interface Access {
  port: number;
  password: string;
}

async function readJson<T>(path: string): Promise<T | undefined> {
  try {
    return JSON.parse(await Deno.readTextFile(path)) as T;
  } catch (error) {
    // Torn by a full disk or a person: both are files that can be made anew.
    if (error instanceof Deno.errors.NotFound || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Writes a file that only its owner can read, whole or not at all. */
async function writeJson(path: string, content: unknown): Promise<void> {
  const fresh = `${path}.new`;
  await Deno.writeTextFile(fresh, JSON.stringify(content, null, 2) + "\n", { mode: 0o600 });
  await Deno.rename(fresh, path);
}

/** What runs, or undefined when nothing does. */
export function readState(files: HomeFiles): Promise<HostState | undefined> {
  return readJson<HostState>(files.state);
}

/** Tells others how to reach the servers. */
export function writeState(files: HomeFiles, state: HostState): Promise<void> {
  return writeJson(files.state, state);
}

/** Removes a file that may be missing. */
export async function removeFile(path: string): Promise<void> {
  try {
    await Deno.remove(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** Ports and passwords of earlier runs. */
export async function readAccess(files: HomeFiles): Promise<Partial<Record<EngineName, Access>>> {
  return await readJson<Partial<Record<EngineName, Access>>>(files.access) ?? {};
}

/** Keeps the port and password of one engine for later runs. */
export async function writeAccess(files: HomeFiles, engine: EngineName, access: Access): Promise<void> {
  await writeJson(files.access, { ...await readAccess(files), [engine]: access });
}

const PASSWORD_BYTES = 24;

/** A random password of letters and digits, fit for URLs. */
export function newPassword(): string {
  return crypto.getRandomValues(new Uint8Array(PASSWORD_BYTES)).toHex();
}

/** A free TCP port on this machine's own address: `preferred` when it is free. */
export function freePort(preferred = 0): number {
  for (const port of [preferred, 0]) {
    try {
      using listener = Deno.listen({ hostname: "127.0.0.1", port });
      return listener.addr.port;
    } catch (error) {
      if (port === 0 || !(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
  throw new TypeError("Cannot get here: port 0 is always free");
}
