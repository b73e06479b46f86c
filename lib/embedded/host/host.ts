/**
 * The host: one process that holds one embedded database of a home, PostgreSQL as its child or ClickHouse's
 * engine in itself. It lives while anybody uses the database, and not longer.
 *
 * Who uses it holds `use.lock` shared. The host waits in the kernel for the same lock alone; it gets it when
 * the last user is gone, however that user went, and stops then. It holds `host.lock` for as long as it
 * lives.
 */
import { messageChain, SalesflowError, UsageError } from "../../console/errors.ts";
import { startClickHouse } from "../clickhouse/server.ts";
import { lockFileUninterrupted, tryLockFile } from "../locks/file_lock.ts";
import {
  type Access,
  type HomeFiles,
  homeFiles,
  readAccess,
  removeFile,
  writeAccess,
  writeState,
} from "./home_files.ts";
import { writeLog } from "./log_file.ts";
import type { EngineName } from "../engines/packages.ts";
import { startPostgres } from "../postgres/server.ts";
import type { Server, ServerOptions } from "./server.ts";

/** What a host is told to run. */
export interface HostOrder {
  home: string;
  engine: EngineName;
  /** Path of the engine: PostgreSQL's folder or ClickHouse's library. */
  path: string;
}

/** What a host says on standard output, once: that the server answers, or why not. */
export type HostReport =
  | { ready: true }
  | { ready: false; message: string; remedy: string | undefined; exitCode: number };

/** A server that dies more often than this has a reason that starting it again does not mend. */
const MOST_RESTARTS = 5;

const START: Record<EngineName, (options: ServerOptions) => Promise<Server>> = {
  postgres: startPostgres,
  clickhouse: startClickHouse,
};

function note(text: string): void {
  writeLog(`${new Date().toISOString()} ${text}\n`);
}

function report(content: HostReport): void {
  Deno.stdout.writeSync(new TextEncoder().encode(JSON.stringify(content) + "\n"));
}

function reportFailure(error: unknown): void {
  const known = error instanceof SalesflowError ? error : undefined;
  const message = messageChain(error).join(": ");
  note(`failed: ${message}`);
  try {
    report({ ready: false, message, remedy: known?.remedy, exitCode: known?.exitCode ?? 1 });
  } catch {
    // It was ready once, and nobody listens any more.
  }
}

async function start(files: HomeFiles, { engine, path }: HostOrder): Promise<Server> {
  const keepAccess = (access: Access) => writeAccess(files, access);
  const access = await readAccess(files);
  return await START[engine]({ path, folder: files.data, access, keepAccess, note, log: files.log });
}

/** Resolves with the reason when it is time to stop. */
function timeToStop(files: HomeFiles): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  // A terminal's Ctrl-C is for the command, which lets go of the servers when it has cleaned up.
  for (const signal of ["SIGINT", "SIGHUP"] as const) Deno.addSignalListener(signal, () => {});
  Deno.addSignalListener("SIGTERM", () => resolve("told to stop"));
  lockFileUninterrupted(files.useLock).then(() => resolve("nobody uses it any more"));
  return promise;
}

/**
 * Serves until it is time to stop. A server that ends by itself (killed, out of memory) is started again, on
 * the same port, so that commands that use it recover by their own retries.
 */
async function serve(files: HomeFiles, order: HostOrder): Promise<void> {
  const stopping = timeToStop(files);
  let server = await start(files, order);
  try {
    await writeState(files, { hostPid: Deno.pid, url: server.url });
    report({ ready: true });
    note(`${order.engine} started (process ${Deno.pid})`);
    for (let restarts = 0;; restarts++) {
      const reason = await (server.ended ? Promise.race([stopping, server.ended]) : stopping);
      note(`${order.engine} ${reason ? `is stopping: ${reason}` : "ended by itself"}`);
      if (reason || restarts === MOST_RESTARTS) break;
      server = await start(files, order);
      await writeState(files, { hostPid: Deno.pid, url: server.url });
      note(`${order.engine} started again`);
    }
  } finally {
    await removeFile(files.state);
    await server.stop();
  }
  note(`${order.engine} stopped`);
}

function orderOf([text = ""]: readonly string[]): HostOrder {
  try {
    const order = JSON.parse(text);
    const { home, engine, path } = order;
    if (Object.hasOwn(START, engine) && [home, path].every((word) => typeof word === "string")) return order;
  } catch {
    // The same as an order for nothing.
  }
  throw new UsageError(["Cannot use embedded-host: salesflow calls it by itself"], "See: salesflow --help");
}

/**
 * Runs a host to its end and ends the process. This is what `salesflow embedded-host ORDER` and host_main.ts
 * do.
 *
 * @param args one argument: a {@linkcode HostOrder} as JSON
 */
export async function runEmbeddedHost(args: readonly string[]): Promise<never> {
  const order = orderOf(args);
  const files = homeFiles(order.home, order.engine);
  try {
    Deno.chdir(files.folder); // ClickHouse's engine reads a config.xml of whatever folder it is started in
    const alone = await tryLockFile(files.hostLock);
    if (!alone) {
      throw new SalesflowError(`Another process runs ${order.engine} in ${order.home}`, { exitCode: 75 });
    }
    await serve(files, order);
  } catch (error) {
    reportFailure(error);
    Deno.exit(1);
  }
  Deno.exit(0);
}
