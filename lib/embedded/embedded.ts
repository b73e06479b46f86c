/**
 * Embedded databases: a real PostgreSQL and the real ClickHouse engine, on this machine only, with nothing to
 * install.
 *
 * Each database runs in a host process of its own (host.ts). Three locks in `<home>/embedded/<engine>` keep
 * it sound:
 *
 * - `use.lock`: every command that uses the database holds it shared. The host stops when it gets it alone.
 *   So the database outlives the command that started it while another one uses it, and no command, not even
 *   a killed one, leaves it behind.
 * - `start.lock`: held alone while a command starts the host or takes leave of it, one command at a time.
 * - `host.lock`: held by the host while it lives; tells a running host from what a killed one left behind.
 */
import { resolve } from "node:path";
import { messageChain, NO_SPACE, SalesflowError } from "../console/errors.ts";
import { logger } from "../console/log.ts";
import { delay } from "./locks/delay.ts";
import type { EngineProgress } from "./engines/engine_package.ts";
import { ensureEngines } from "./engines/engines.ts";
import { type FileLock, isUnlocked, lockFile, tryLockFile } from "./locks/file_lock.ts";
import { type HomeFiles, homeFiles, type HostState, readState } from "./host/home_files.ts";
import { spawnHost } from "./host/host_process.ts";
import { type EngineName, ENGINES } from "./engines/packages.ts";

const POLL_MS = 10;

/** How embedded databases are started. */
export interface EmbeddedOptions<E extends EngineName = EngineName> {
  /** Which ones. @default {["postgres", "clickhouse"]} */
  engines?: readonly E[];
  /** Told how the engines are fetched, when they are not in the cache yet. */
  onProgress?: ((progress: EngineProgress) => void) | undefined;
  /** Gives up starting. Databases that run already are not touched. */
  signal?: AbortSignal | undefined;
}

/** Databases in use; their URLs are `postgresUrl` and `clickhouseUrl`. */
export type Embedded<E extends EngineName = EngineName> =
  & {
    readonly [
      /** A connection URL with user and password. */
      K in E as `${K}Url`
    ]: string;
  }
  & {
    /** Whether this call started any of them; otherwise all ran already, for somebody else. */
    readonly owned: boolean;
    /**
     * Ends the use. The last user's call returns when the databases have stopped cleanly. May be called
     * twice.
     */
    close(): Promise<void>;
  };

/** One database in use. */
interface Use {
  url: string;
  owned: boolean;
  leave(): Promise<void>;
}

/**
 * Waits for a host that is just starting or stopping: returns its state, or undefined when there is no host.
 */
async function findHost(files: HomeFiles, signal: AbortSignal | undefined): Promise<HostState | undefined> {
  while (!await isUnlocked(files.hostLock)) {
    const state = await readState(files);
    if (state) return state;
    await delay(POLL_MS, signal);
  }
  return undefined;
}

/**
 * Takes leave: the host stops if nobody else uses it, and then this waits for it. The start lock keeps
 * newcomers out meanwhile, so that a failure to get the use lock shared means that the host has it.
 */
async function leave(files: HomeFiles, use: FileLock): Promise<void> {
  using _starting = await lockFile(files.startLock);
  use.release();
  while (!await isUnlocked(files.hostLock)) {
    const alone = await tryLockFile(files.useLock);
    alone?.release();
    // Free: the host is about to take it. Shared: others use the database. Taken: the host is stopping.
    const shared = alone ? undefined : await tryLockFile(files.useLock, { shared: true });
    shared?.release();
    if (shared) return;
    await delay(POLL_MS);
  }
}

/** A database that did not start because its disk is full is worth another try; any other error stays as it is. */
function orFullDisk(error: unknown, home: string): unknown {
  if (!messageChain(error).some((message) => NO_SPACE.test(message))) return error;
  return new SalesflowError(`Cannot keep databases in ${home}: the disk is full`, {
    exitCode: 75,
    remedy:
      "Free disk space or set SALESFLOW_HOME to a folder on another disk, then run the same command again.",
    cause: error,
  });
}

async function makeFolder({ home, folder }: HomeFiles): Promise<void> {
  try {
    await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new SalesflowError(`Cannot keep databases in ${home}`, {
      remedy: "SALESFLOW_HOME names a folder; you need permission to write there.",
      cause,
    });
  }
}

/** Starts one database, or joins those who use it. */
async function join(
  home: string,
  engine: EngineName,
  path: string,
  signal: AbortSignal | undefined,
): Promise<Use> {
  const files = homeFiles(home, engine);
  await makeFolder(files);
  const onWait = () => logger("embedded").debug("waiting for {engine} of {home}", { engine, home });
  using _starting = await lockFile(files.startLock, { signal, onWait });
  const use = await lockFile(files.useLock, { shared: true, signal }); // waits for a host that is stopping
  try {
    const running = await findHost(files, signal);
    const { url } = running ?? await spawnHost(files, { home, engine, path }, signal);
    return { url, owned: !running, leave: () => leave(files, use) };
  } catch (error) {
    use.release();
    throw error;
  }
}

/**
 * Starts the embedded databases of a home, or uses those that run there already.
 *
 * @param home the folder for data (`SALESFLOW_HOME`); made when it is missing
 * @throws {SalesflowError} exit code 75 when trying again may help, 1 otherwise, with a remedy
 */
export async function startEmbedded<E extends EngineName = EngineName>(
  home: string,
  { engines = ENGINES as readonly E[], onProgress, signal }: EmbeddedOptions<E> = {},
): Promise<Embedded<E>> {
  const paths = await ensureEngines({ engines, onProgress, signal });
  const startedAt = performance.now();
  const outcomes = await Promise.allSettled(
    engines.map((engine) => join(resolve(home), engine, paths[engine], signal)),
  );
  const uses = outcomes.flatMap((outcome) => outcome.status === "fulfilled" ? [outcome.value] : []);
  let closing: Promise<unknown> | undefined;
  const close = async () => void await (closing ??= Promise.all(uses.map((use) => use.leave())));
  const failed = outcomes.find((outcome) => outcome.status === "rejected");
  if (failed) {
    await close();
    throw orFullDisk(failed.reason, home);
  }
  const ms = Math.round(performance.now() - startedAt);
  logger("embedded").debug("{engines} answer after {ms} ms", { engines: engines.join(" and "), ms });
  const urls = Object.fromEntries(engines.map((engine, at) => [`${engine}Url`, uses[at]?.url]));
  return { ...urls, owned: uses.some(({ owned }) => owned), close } as unknown as Embedded<E>;
}
