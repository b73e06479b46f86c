/**
 * Embedded databases: a real PostgreSQL and the real ClickHouse engine, on this machine only, with nothing to install.
 *
 * The servers run in a host process (host.ts). Three locks in `<home>/embedded` keep it sound:
 *
 * - `use.lock`: every command that uses the servers holds it shared. The host stops when it gets it alone. So the
 *   servers outlive the command that started them while another one uses them, and no command, not even a killed one,
 *   leaves them behind.
 * - `start.lock`: held alone while a command starts the host or takes leave of it, one command at a time.
 * - `host.lock`: held by the host while it lives; tells a running host from what a killed one left behind.
 */
import { resolve } from "node:path";
import { SalesflowError } from "../errors.ts";
import { logger } from "../log.ts";
import { delay } from "./delay.ts";
import type { EngineProgress } from "./engine_package.ts";
import { ensureEngines } from "./engines.ts";
import { type FileLock, isUnlocked, lockFile, tryLockFile } from "./file_lock.ts";
import { type HomeFiles, homeFiles, type HostState, readState } from "./home_files.ts";
import { spawnHost } from "./host_process.ts";
import { type EngineName, ENGINES } from "./packages.ts";

const POLL_MS = 10;

/** How embedded databases are started. */
export interface EmbeddedOptions<E extends EngineName = EngineName> {
  /** Which ones. @default {["postgres", "clickhouse"]} */
  engines?: readonly E[];
  /** Told how the engines are fetched, when they are not in the cache yet. */
  onProgress?: ((progress: EngineProgress) => void) | undefined;
  /** Gives up starting. Servers that run already are not touched. */
  signal?: AbortSignal | undefined;
}

/** Databases in use; the names are `postgresUrl` and `clickhouseUrl`. */
export type Embedded<E extends EngineName = EngineName> =
  & {
    readonly [
      /** A connection URL with user and password. */
      K in E as `${K}Url`
    ]: string;
  }
  & {
    /** Whether this call started the servers; otherwise they ran already, for somebody else. */
    readonly owned: boolean;
    /** Ends the use. The last user's call returns when the servers have stopped cleanly. May be called twice. */
    close(): Promise<void>;
  };

/** Waits for a host that is just starting or stopping: returns its state, or undefined when there is no host. */
async function findHost(files: HomeFiles, signal: AbortSignal | undefined): Promise<HostState | undefined> {
  while (!await isUnlocked(files.hostLock)) {
    const state = await readState(files);
    if (state) return state;
    await delay(POLL_MS, signal);
  }
  return undefined;
}

/**
 * Takes leave: the servers stop if nobody else uses them, and then this waits for it. The start lock keeps newcomers
 * out meanwhile, so that a failure to get the use lock shared means that the host has it.
 */
async function leave(files: HomeFiles, use: FileLock): Promise<void> {
  using _starting = await lockFile(files.startLock);
  use.release();
  while (!await isUnlocked(files.hostLock)) {
    const alone = await tryLockFile(files.useLock);
    alone?.release();
    // Free: the host is about to take it. Shared: others use the servers. Taken: the host is stopping.
    const shared = alone ? undefined : await tryLockFile(files.useLock, { shared: true });
    shared?.release();
    if (shared) return;
    await delay(POLL_MS);
  }
}

function urlsOf<E extends EngineName>(state: HostState, engines: readonly E[], home: string) {
  const missing = engines.filter((engine) => state.urls[engine] === undefined);
  if (missing.length > 0) {
    throw new SalesflowError(
      `The servers that run in ${home} do not include ${missing.join(" and ")} (process ${state.hostPid})`,
      { exitCode: 75, remedy: "Wait for the command that started them to end, then try again." },
    );
  }
  return Object.fromEntries(engines.map((engine) => [`${engine}Url`, state.urls[engine]]));
}

async function useServers<E extends EngineName>(
  files: HomeFiles,
  engines: readonly E[],
  { onProgress, signal }: EmbeddedOptions<E>,
): Promise<{ state: HostState; owned: boolean; use: FileLock }> {
  const paths = await ensureEngines({ engines, onProgress, signal });
  await Deno.mkdir(files.folder, { recursive: true, mode: 0o700 });
  const onWait = () => logger("embedded").info("waiting for the servers of {home}", { home: files.home });
  using _starting = await lockFile(files.startLock, { signal, onWait });
  const use = await lockFile(files.useLock, { shared: true, signal }); // waits for a host that is stopping
  try {
    const running = await findHost(files, signal);
    if (running) return { state: running, owned: false, use };
    return { state: await spawnHost(files, { home: files.home, engines: paths }, signal), owned: true, use };
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
  options: EmbeddedOptions<E> = {},
): Promise<Embedded<E>> {
  const engines = options.engines ?? ENGINES as readonly E[];
  const files = homeFiles(resolve(home));
  const startedAt = performance.now();
  const { state, owned, use } = await useServers(files, engines, options);
  let closing: Promise<void> | undefined;
  const close = () => closing ??= leave(files, use);
  try {
    const urls = urlsOf(state, engines, files.home);
    logger("embedded").debug("databases {verb} in {ms} ms", {
      verb: owned ? "started" : "found running",
      ms: Math.round(performance.now() - startedAt),
    });
    return { ...urls, owned, close } as unknown as Embedded<E>;
  } catch (error) {
    await close();
    throw error;
  }
}
