/**
 * Embedded databases: a real PostgreSQL and the real ClickHouse engine, on this machine only, without installation.
 *
 * Each database runs in its own host process (host.ts). Three locks in `<home>/embedded/<engine>` coordinate it:
 *
 * - `use.lock`: held shared by every command that uses the database. The host stops once it acquires it exclusively.
 *   So the database outlives the command that started it while another command uses it, and no command leaves it
 *   running behind, not even when killed.
 * - `start.lock`: held exclusively by a command while it starts or releases the host, one command at a time.
 * - `host.lock`: held by the host while it runs; distinguishes a running host from what a killed one left behind.
 */
import { resolve } from "node:path";
import { exitCodeOf, messageChain, NO_SPACE, SalesflowError } from "../console/errors.ts";
import { escapePlaceholders, logger } from "../console/log.ts";
import type { EngineProgress } from "./engines/engine_package.ts";
import { ensureEngines } from "./engines/engines.ts";
import { type EngineName, ENGINES } from "./engines/packages.ts";
import { type FileLock, isUnlocked, tryLockFile } from "./files/file_lock.ts";
import { lockFile, waitFor } from "./files/limited_wait.ts";
import { type HomeFiles, homeFiles, type HostState, readState } from "./host/home_files.ts";
import { spawnHost } from "./host/host_process.ts";

/** How embedded databases are started. */
export interface EmbeddedOptions<E extends EngineName = EngineName> {
  /** Databases to start. @default {["postgres", "clickhouse"]} */
  engines?: readonly E[];
  /** Called during the download of engines that are not in the cache. */
  onProgress?: ((progress: EngineProgress) => void) | undefined;
  /** Cancels the start. Databases that are already running are not affected. */
  signal?: AbortSignal | undefined;
}

/** Databases in use; their URLs are `postgresUrl` and `clickhouseUrl`. */
export type Embedded<E extends EngineName = EngineName> =
  & {
    readonly [
      /** Connection URL with user and password. */
      K in E as `${K}Url`
    ]: string;
  }
  & {
    /** Whether this call started any of them; false when other commands had started all of them. */
    readonly owned: boolean;
    /**
     * Releases the databases. The last user's call returns once they have stopped cleanly. May be called more than
     * once.
     */
    close(): Promise<void>;
  };

/** One database in use. */
interface DatabaseHandle {
  url: string;
  owned: boolean;
  release(): Promise<void>;
}

/** Returns the state of the host, waiting while it starts or stops; undefined when there is no host. */
async function findHost(
  files: HomeFiles,
  engine: EngineName,
  signal: AbortSignal | undefined,
): Promise<HostState | undefined> {
  const { state } = await waitFor(async () => {
    if (await isUnlocked(files.hostLock)) return { state: undefined };
    const state = await readState(files);
    return state && { state };
  }, { what: `the host of ${engine} in ${files.home} to start or stop`, lock: files.hostLock, signal });
  return state;
}

/** Returns whether the host has stopped, or others use it; undefined if neither is known yet. */
async function isReleased(files: HomeFiles): Promise<true | undefined> {
  if (await isUnlocked(files.hostLock)) return true;
  const exclusive = await tryLockFile(files.useLock);
  exclusive?.release();
  // Free: the host is about to acquire it. Shared: others use the database. Exclusive: the host is stopping.
  const shared = exclusive ? undefined : await tryLockFile(files.useLock, { shared: true });
  shared?.release();
  return shared ? true : undefined;
}

/**
 * Releases the use lock. The host stops if nobody else uses it; then this waits for it. The start lock keeps new users
 * out, so failing to acquire the use lock shared means that the host holds it. Waiting too long only causes a warning: the
 * work is done, and the host stops by itself.
 */
async function releaseDatabase(files: HomeFiles, engine: EngineName, useLock: FileLock): Promise<void> {
  // When the home was removed, these are other locks, if any; the host stops by itself.
  if (!await useLock.isCurrent()) return useLock.release();
  const what = `${engine} in ${files.home} to stop`;
  try {
    using _starting = await lockFile(files.startLock, {
      what: `another command to start or release ${engine} in ${files.home}`,
    });
    useLock.release();
    await waitFor(() => isReleased(files), { what, lock: files.hostLock });
  } catch (error) {
    if (exitCodeOf(error) !== 75) throw error;
    const { message, remedy } = error as SalesflowError;
    logger("embedded").warn(escapePlaceholders(`${message}. ${remedy}`));
  } finally {
    useLock.release();
  }
}

/** Makes a full disk a temporary error with a remedy; returns any other error as it is. */
function explainFullDisk(error: unknown, home: string): unknown {
  if (!messageChain(error).some((message) => NO_SPACE.test(message))) return error;
  return new SalesflowError(`Cannot store databases in ${home}: the disk is full`, {
    exitCode: 75,
    remedy:
      "Free disk space or set SALESFLOW_HOME to a folder on another disk, then run the same command again.",
    cause: error,
  });
}

async function createFolder({ home, folder }: HomeFiles): Promise<void> {
  try {
    await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new SalesflowError(`Cannot store databases in ${home}`, {
      remedy: "Set SALESFLOW_HOME to a folder that you can write to.",
      cause,
    });
  }
}

/** Starts one database, or uses the running one. */
async function acquireDatabase(
  home: string,
  engine: EngineName,
  path: string,
  signal: AbortSignal | undefined,
): Promise<DatabaseHandle> {
  const files = homeFiles(home, engine);
  await createFolder(files);
  const startWait = { what: `another command to start or release ${engine} in ${home}`, signal };
  using _starting = await lockFile(files.startLock, startWait);
  const useLock = await lockFile(files.useLock, {
    what: `${engine} in ${home} to stop`,
    shared: true,
    signal,
  });
  try {
    const running = await findHost(files, engine, signal);
    const { url } = running ?? await spawnHost(files, { home, engine, path }, signal);
    return { url, owned: !running, release: () => releaseDatabase(files, engine, useLock) };
  } catch (error) {
    useLock.release();
    throw error;
  }
}

/**
 * Starts the embedded databases of a home, or uses those that are already running there.
 *
 * @param home the data folder (`SALESFLOW_HOME`); created if it is missing
 * @throws {SalesflowError} exit code 75 when a retry may help, 1 otherwise, with a remedy
 */
export async function startEmbedded<E extends EngineName = EngineName>(
  home: string,
  { engines = ENGINES as readonly E[], onProgress, signal }: EmbeddedOptions<E> = {},
): Promise<Embedded<E>> {
  const paths = await ensureEngines({ engines, onProgress, signal });
  const startedAt = performance.now();
  const results = await Promise.allSettled(
    engines.map((engine) => acquireDatabase(resolve(home), engine, paths[engine], signal)),
  );
  const handles = results.flatMap((result) => result.status === "fulfilled" ? [result.value] : []);
  let closing: Promise<unknown> | undefined;
  const close = async () => void await (closing ??= Promise.all(handles.map((handle) => handle.release())));
  const failed = results.find((result) => result.status === "rejected");
  if (failed) {
    await close();
    throw explainFullDisk(failed.reason, home);
  }
  const ms = Math.round(performance.now() - startedAt);
  logger("embedded").debug("{engines} ready after {ms} ms", { engines: engines.join(" and "), ms });
  const urls = Object.fromEntries(engines.map((engine, index) => [`${engine}Url`, handles[index]?.url]));
  return { ...urls, owned: handles.some(({ owned }) => owned), close } as unknown as Embedded<E>;
}
