/**
 * The host: a process that runs one embedded database of a home, PostgreSQL as a child process or the ClickHouse
 * engine in-process. It lives as long as a command uses the database.
 *
 * Every user of the database holds `use.lock` shared. The host blocks in the kernel on the same lock, exclusive. It
 * acquires it when the last user is gone, even a killed one, and then stops. It holds `host.lock` while it runs. It also stops
 * when its home was removed: a home made again at the same path has other locks, and may have another host.
 */
import { rm } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { messageChain, SalesflowError, UsageError } from "../../console/errors.ts";
import { startClickHouse } from "../clickhouse/server.ts";
import type { EngineName } from "../engines/packages.ts";
import { exists } from "../files/exists.ts";
import { type FileLock, lockFileBlocking, tryLockFile } from "../files/file_lock.ts";
import { startPostgres } from "../postgres/server.ts";
import type { Access } from "../server/access.ts";
import { writeLog } from "../server/log_file.ts";
import type { Server, ServerOptions } from "../server/server.ts";
import { type HomeFiles, homeFiles, readAccess, writeAccess, writeState } from "./home_files.ts";

/** What a host runs. */
export interface HostConfig {
  /** Absolute path of the home. */
  home: string;
  /** The database's engine. */
  engine: EngineName;
  /** Path of the engine: PostgreSQL's folder or ClickHouse's library. */
  path: string;
}

/** The line that a host prints to stdout, once: the server accepts connections, or why it does not. */
export type HostReport =
  | { ready: true }
  | { ready: false; message: string; remedy: string | undefined; exitCode: number };

/** A server that exits more often than this has a problem that a restart does not fix. */
const MAX_RESTARTS = 5;

/** Interval of the checks whether the home still exists. */
const HOME_CHECK_MS = 1_000;

const START: Record<EngineName, (options: ServerOptions) => Promise<Server>> = {
  postgres: startPostgres,
  clickhouse: startClickHouse,
};

function log(text: string): void {
  writeLog(`${new Date().toISOString()} ${text}\n`);
}

function report(content: HostReport): void {
  Deno.stdout.writeSync(new TextEncoder().encode(JSON.stringify(content) + "\n"));
}

function reportFailure(error: unknown): void {
  const known = error instanceof SalesflowError ? error : undefined;
  const message = messageChain(error).join(": ");
  log(`failed: ${message}`);
  try {
    report({ ready: false, message, remedy: known?.remedy, exitCode: known?.exitCode ?? 1 });
  } catch {
    // The server had been ready: the command has closed its end of the pipe.
  }
}

async function startServer(files: HomeFiles, { engine, path }: HostConfig): Promise<Server> {
  const saveAccess = (access: Access) => writeAccess(files, access);
  const access = await readAccess(files);
  return await START[engine]({ path, folder: files.data, access, saveAccess, log, logFile: files.log });
}

/** Resolves with the reason to stop. */
function waitForStop(files: HomeFiles): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  // The terminal's Ctrl-C is meant for the command, which releases the servers after its cleanup.
  for (const signal of ["SIGINT", "SIGHUP"] as const) Deno.addSignalListener(signal, () => {});
  Deno.addSignalListener("SIGTERM", () => resolve("received SIGTERM"));
  lockFileBlocking(files.useLock).then(() => resolve("no longer in use"));
  return promise;
}

/** Resolves with the reason to stop once the home is gone. Call when the state is written. */
async function waitForRemoval(files: HomeFiles, lock: FileLock): Promise<string> {
  while (await lock.isCurrent() && await exists(files.state)) await delay(HOME_CHECK_MS);
  return "its home was removed";
}

/**
 * Serves until it is time to stop. A server that exits unexpectedly (killed, out of memory) is restarted on the same
 * port, so that the commands using it recover by their own retries.
 */
async function serve(files: HomeFiles, config: HostConfig, lock: FileLock): Promise<void> {
  const unused = waitForStop(files);
  let server = await startServer(files, config);
  try {
    await writeState(files, { hostPid: Deno.pid, url: server.url });
    const stopping = Promise.race([unused, waitForRemoval(files, lock)]);
    report({ ready: true });
    log(`${config.engine} started (pid ${Deno.pid})`);
    for (let restarts = 0;; restarts++) {
      const reason = await (server.ended ? Promise.race([stopping, server.ended]) : stopping);
      log(`${config.engine} ${reason ? `is stopping: ${reason}` : "exited unexpectedly"}`);
      // In a home that was made again, a restarted server would stop that of the new host.
      if (reason || restarts === MAX_RESTARTS || !await lock.isCurrent()) break;
      server = await startServer(files, config);
      await writeState(files, { hostPid: Deno.pid, url: server.url });
      log(`${config.engine} restarted`);
    }
  } finally {
    // The state of another host must stay.
    if (await lock.isCurrent()) await rm(files.state, { force: true });
    await server.stop();
  }
  log(`${config.engine} stopped`);
}

function parseConfig([text = ""]: readonly string[]): HostConfig {
  try {
    const config = JSON.parse(text);
    const { home, engine, path } = config;
    if (Object.hasOwn(START, engine) && [home, path].every((value) => typeof value === "string")) {
      return config;
    }
  } catch {
    // Reported below, like any other invalid argument.
  }
  throw new UsageError(
    ["Cannot run embedded-host: it is an internal command of salesflow"],
    "See: salesflow --help",
  );
}

/**
 * Runs a host, then exits the process. Implements `salesflow embedded-host CONFIG` and host_main.ts.
 *
 * @param args one argument: a {@linkcode HostConfig} as JSON
 */
export async function runEmbeddedHost(args: readonly string[]): Promise<never> {
  const config = parseConfig(args);
  const files = homeFiles(config.home, config.engine);
  try {
    Deno.chdir(files.folder); // the ClickHouse engine reads config.xml from its working directory
    const lock = await tryLockFile(files.hostLock);
    if (!lock) {
      throw new SalesflowError(`Another process already runs ${config.engine} in ${config.home}`, {
        exitCode: 75,
      });
    }
    await serve(files, config, lock);
  } catch (error) {
    reportFailure(error);
    Deno.exit(1);
  }
  Deno.exit(0);
}
