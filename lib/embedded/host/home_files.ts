/** The files of an embedded database under a home (`SALESFLOW_HOME`). */
import { join } from "node:path";
import type { EngineName } from "../engines/packages.ts";

/** Paths of one database under one home. */
export interface HomeFiles {
  home: string;
  /** Everything below but the data. */
  folder: string;
  /** Held alone while somebody starts the server or takes leave of it. */
  startLock: string;
  /** Held together by all who use the server; taken alone by the host to stop it. */
  useLock: string;
  /** Held by the host for as long as it lives. */
  hostLock: string;
  /** What runs now: {@linkcode HostState}. */
  state: string;
  /** Port and password, kept from run to run: {@linkcode Access}. */
  access: string;
  /** What the host and PostgreSQL say. */
  log: string;
  /** The engine's own files; PostgreSQL's data are in `data` below. */
  data: string;
}

/** The paths of one database. */
export function homeFiles(home: string, engine: EngineName): HomeFiles {
  const folder = join(home, "embedded", engine);
  return {
    home,
    folder,
    startLock: join(folder, "start.lock"),
    useLock: join(folder, "use.lock"),
    hostLock: join(folder, "host.lock"),
    state: join(folder, "state.json"),
    access: join(folder, "access.json"),
    log: join(folder, "server.log"),
    data: join(home, engine),
  };
}

/** The running server, as the host writes it down once it answers. */
export interface HostState {
  hostPid: number;
  /** A connection URL with user and password. */
  url: string;
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

/** Tells others how to reach the server. */
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

/** Port and password of earlier runs. */
export function readAccess(files: HomeFiles): Promise<Access | undefined> {
  return readJson<Access>(files.access);
}

/** Keeps port and password for later runs. */
export function writeAccess(files: HomeFiles, access: Access): Promise<void> {
  return writeJson(files.access, access);
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
