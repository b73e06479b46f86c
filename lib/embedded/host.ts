/**
 * The host: one process that holds the embedded servers of a home, PostgreSQL as its child and ClickHouse's engine in
 * itself. It is no command's child in spirit: it lives while anybody uses the servers, and not longer.
 *
 * Who uses them holds `use.lock` shared. The host waits in the kernel for the same lock alone; it gets it when the
 * last user is gone, however that user went, and stops then. It holds `host.lock` for as long as it lives.
 */
import { SalesflowError } from "../errors.ts";
import { messageChain } from "../errors.ts";
import { type ClickHouseServer, startClickHouse } from "./clickhouse/server.ts";
import { lockFileUninterrupted, tryLockFile } from "./file_lock.ts";
import {
  type Access,
  type HomeFiles,
  homeFiles,
  type HostState,
  readAccess,
  removeFile,
  writeAccess,
  writeState,
} from "./home_files.ts";
import { openLog } from "./log_file.ts";
import type { EngineName } from "./packages.ts";
import { type PostgresServer, startPostgres } from "./postgres/server.ts";

/** What a host is told to run. */
export interface HostOrder {
  home: string;
  /** Paths of the engines to start. */
  engines: Partial<Record<EngineName, string>>;
}

/** What a host says on standard output, once: that the servers answer, or why not. */
export type HostReport = { ready: true } | {
  ready: false;
  message: string;
  remedy: string | undefined;
  exitCode: number;
};

interface Servers {
  postgres?: PostgresServer;
  clickhouse?: ClickHouseServer;
}

function note(text: string): void {
  console.error(`${new Date().toISOString()} ${text}`);
}

function report(content: HostReport): void {
  Deno.stdout.writeSync(new TextEncoder().encode(JSON.stringify(content) + "\n"));
}

async function startAll(files: HomeFiles, { engines }: HostOrder, servers: Servers): Promise<void> {
  const known = await readAccess(files);
  // One after the other: two writers of one small file must not overwrite each other.
  let written: Promise<void> = Promise.resolve();
  const keep = (engine: EngineName) => (access: Access) =>
    written = written.then(() => writeAccess(files, engine, access));
  const starts: Promise<void>[] = [];
  if (engines.postgres) {
    const options = {
      programs: engines.postgres,
      folder: files.postgres,
      access: known.postgres,
      keepAccess: keep("postgres"),
      log: await openLog(files.postgresLog),
      note,
    };
    starts.push(startPostgres(options).then((server) => void (servers.postgres = server)));
  }
  if (engines.clickhouse) {
    const options = {
      library: engines.clickhouse,
      folder: files.clickhouse,
      access: known.clickhouse,
      keepAccess: keep("clickhouse"),
    };
    starts.push(startClickHouse(options).then((server) => void (servers.clickhouse = server)));
  }
  const outcomes = await Promise.allSettled(starts);
  const failed = outcomes.find((outcome) => outcome.status === "rejected");
  if (failed) throw failed.reason;
}

function stateOf({ postgres, clickhouse }: Servers): HostState {
  return {
    hostPid: Deno.pid,
    urls: {
      ...(postgres ? { postgres: postgres.url } : {}),
      ...(clickhouse ? { clickhouse: clickhouse.url } : {}),
    },
  };
}

function failure(error: unknown): HostReport {
  const known = error instanceof SalesflowError ? error : undefined;
  return {
    ready: false,
    message: messageChain(error).join(": "),
    remedy: known?.remedy,
    exitCode: known?.exitCode ?? 1,
  };
}

/**
 * Runs the host to its end and ends the process. This is what `salesflow embedded-host ORDER` and host_main.ts do.
 *
 * @param args one argument: a {@linkcode HostOrder} as JSON
 */
export async function runEmbeddedHost(args: readonly string[]): Promise<never> {
  const order: HostOrder = JSON.parse(args[0] ?? "");
  const files = homeFiles(order.home);
  const servers: Servers = {};
  const ending = Promise.withResolvers<string>();
  // A terminal's Ctrl-C is for the command, which lets go of the servers when it has cleaned up.
  for (const signal of ["SIGINT", "SIGHUP"] as const) Deno.addSignalListener(signal, () => {});
  Deno.addSignalListener("SIGTERM", () => ending.resolve("told to stop"));
  Deno.chdir(files.folder); // the engine would read a config.xml of whatever folder the command was started in
  const alive = await tryLockFile(files.hostLock);
  if (!alive) {
    report(
      failure(new SalesflowError(`Another process runs the servers of ${order.home}`, { exitCode: 75 })),
    );
    Deno.exit(1);
  }
  lockFileUninterrupted(files.useLock).then(() => ending.resolve("nobody uses the servers any more"));
  const started = startAll(files, order, servers);
  let exitCode = 0;
  try {
    await started;
    await writeState(files, stateOf(servers));
    servers.postgres?.ended.then(() => ending.resolve("PostgreSQL ended"));
    report({ ready: true });
    note(`started (process ${Deno.pid})`);
    note(`stopping: ${await ending.promise}`);
  } catch (error) {
    report(failure(error));
    note(`failed: ${messageChain(error).join(": ")}`);
    exitCode = 1;
  }
  await removeFile(files.state);
  await Promise.allSettled([servers.postgres?.stop(), servers.clickhouse?.stop()]);
  note("stopped");
  Deno.exit(exitCode);
}
