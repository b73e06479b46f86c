/** The files of an embedded database in a home (`SALESFLOW_HOME`). */
import { join } from "node:path";
import type { EngineName } from "../engines/packages.ts";
import type { Access } from "../server/access.ts";

/** Paths of one database in one home. */
export interface HomeFiles {
  /** `SALESFLOW_HOME` */
  home: string;
  /** Contains all files below except the data. */
  folder: string;
  /** Exclusive lock of the command that is starting or releasing the server. */
  startLock: string;
  /** Shared lock of every command that uses the server; the host stops once it holds it exclusively. */
  useLock: string;
  /** Exclusive lock of the host while it runs. */
  hostLock: string;
  /** The running server: {@linkcode HostState}. */
  state: string;
  /** Port and password, kept from run to run: {@linkcode Access}. */
  access: string;
  /** Log of the host and of PostgreSQL. */
  log: string;
  /** The engine's own files; PostgreSQL's cluster is its subfolder `data`. */
  data: string;
}

/** Returns the paths of one database. */
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

/** The running server; the host writes it as soon as the server accepts connections. */
export interface HostState {
  /** Process id of the host. */
  hostPid: number;
  /** Connection URL with user and password. */
  url: string;
}

async function readJson<T>(path: string): Promise<T | undefined> {
  try {
    return JSON.parse(await Deno.readTextFile(path)) as T;
  } catch (error) {
    // A full disk or a user may have truncated it; both files can be created again.
    if (error instanceof Deno.errors.NotFound || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Replaces a file atomically; only its owner can read it. */
async function writeJson(path: string, content: unknown): Promise<void> {
  const temporary = `${path}.new`;
  await Deno.writeTextFile(temporary, JSON.stringify(content, null, 2) + "\n", { mode: 0o600 });
  await Deno.rename(temporary, path);
}

/** Reads the state of the running server; undefined when none runs. */
export function readState(files: HomeFiles): Promise<HostState | undefined> {
  return readJson<HostState>(files.state);
}

/** Publishes the state of the running server to other commands. */
export function writeState(files: HomeFiles, state: HostState): Promise<void> {
  return writeJson(files.state, state);
}

/** Reads port and password of earlier runs; undefined when there are none. */
export function readAccess(files: HomeFiles): Promise<Access | undefined> {
  return readJson<Access>(files.access);
}

/** Saves port and password for later runs. */
export function writeAccess(files: HomeFiles, access: Access): Promise<void> {
  return writeJson(files.access, access);
}
