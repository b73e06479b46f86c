/** Spawns the host process (host.ts). */
import { fileURLToPath } from "node:url";
import { SalesflowError } from "../../console/errors.ts";
import { escapePlaceholders, logger } from "../../console/log.ts";
import { rotateLog } from "../server/log_file.ts";
import { type HomeFiles, type HostState, readState } from "./home_files.ts";
import type { HostConfig, HostReport } from "./host.ts";

/** The executable's hidden subcommand that runs the host. */
export const HOST_SUBCOMMAND = "embedded-host";

/** Longest wait for a server to accept connections: after a crash on a slow disk, recovery takes a while. */
const START_LIMIT_MS = 300_000;
/** A start that takes longer is logged. */
const LOG_AFTER_MS = 10_000;

/** Permissions of a host that runs from source: only what its engine needs, and no access to the environment. */
function permissionFlags({ engine }: HostConfig): string[] {
  const common = ["--no-prompt", "--allow-read", "--allow-write", "--allow-net=127.0.0.1", "--ignore-env"];
  return engine === "postgres"
    // The user ID decides how PostgreSQL's programs are run.
    ? [...common, "--allow-run", "--allow-env=PATH", "--allow-sys=uid,gid"]
    // Reading memory returned by the library needs the full permission, not only that for its path.
    : [...common, "--allow-ffi"];
}

/**
 * Returns the command that runs the host: the executable itself, or Deno on the source.
 *
 * @param standalone whether this process is the compiled executable
 */
export function hostCommand(config: HostConfig, standalone: boolean = Deno.build.standalone): string[] {
  const json = JSON.stringify(config);
  if (standalone) return [Deno.execPath(), HOST_SUBCOMMAND, json];
  const main = fileURLToPath(import.meta.resolve("./host_main.ts"));
  // The host imports only files of this project, so it needs neither the configuration nor the lock file.
  const modules = ["--quiet", "--no-config", "--no-lock", "--no-remote"];
  return [Deno.execPath(), "run", ...modules, ...permissionFlags(config), main, json];
}

/** Reads the first line of a stream; undefined when the stream ends before it. */
async function readFirstLine(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<string | undefined> {
  let text = "";
  for await (const chunk of stream.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    const end = text.indexOf("\n");
    if (end >= 0) return text.slice(0, end); // leaving the loop closes the pipe
  }
  return undefined;
}

/** Returns the first line of the host's output. @throws {SalesflowError} exit code 75 at the limit */
async function waitForReport(
  child: Deno.ChildProcess,
  files: HomeFiles,
  { engine }: HostConfig,
  limitMs: number,
): Promise<string | undefined> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const logTimer = setTimeout(() => {
    const waiting = `waiting for ${engine} in ${files.home} to start (process ${child.pid})`;
    logger("embedded").info(escapePlaceholders(waiting));
  }, LOG_AFTER_MS);
  const limitTimer = setTimeout(() => {
    const message = `The embedded ${engine} has not started within ${limitMs / 1000} s`;
    // Unused then, the host stops its server as soon as it has started: the next start is faster.
    const remedy =
      `See ${files.log}. Process ${child.pid} is still starting it: wait, or stop it, then run again.`;
    reject(new SalesflowError(message, { exitCode: 75, remedy }));
  }, limitMs);
  try {
    return await Promise.race([readFirstLine(child.stdout), late]);
  } finally {
    clearTimeout(logTimer);
    clearTimeout(limitTimer);
  }
}

/**
 * Spawns the host in its own session, so that the terminal's Ctrl-C and hang-up do not reach it, and waits until its
 * server accepts connections. The caller must hold the start lock and the use lock.
 *
 * @param limitMs longest wait for the server
 * @throws {SalesflowError} what the host reports when its server does not start; exit code 75 at the limit
 */
export async function spawnHost(
  files: HomeFiles,
  config: HostConfig,
  signal: AbortSignal | undefined,
  limitMs: number = START_LIMIT_MS,
): Promise<HostState> {
  await rotateLog(files.log);
  const child = new Deno.Command("/bin/sh", {
    // The shell only redirects stderr to the log: an engine that crashes reports it there.
    args: [
      "-c",
      'log=$1; shift; (umask 077; : >>"$log"); exec "$@" 2>>"$log"',
      "sh",
      files.log,
      ...hostCommand(config),
    ],
    stdin: "null",
    stdout: "piped",
    stderr: "null",
    env: { TZ: "UTC" }, // the engine's server time zone
    detached: true,
  }).spawn();
  const abort = () => child.kill("SIGTERM");
  signal?.addEventListener("abort", abort, { once: true });
  try {
    const line = await waitForReport(child, files, config, limitMs);
    if (line === undefined) {
      signal?.throwIfAborted();
      const { code, signal: killedBy } = await child.status;
      throw new SalesflowError(
        `The embedded ${config.engine} exited while starting (${killedBy ?? `exit code ${code}`})`,
        { remedy: `See ${files.log}.` },
      );
    }
    signal?.throwIfAborted();
    const report: HostReport = JSON.parse(line);
    if (!report.ready) {
      const { message, remedy, exitCode } = report;
      throw new SalesflowError(message, {
        exitCode: exitCode === 75 ? 75 : 1,
        ...(remedy ? { remedy } : {}),
      });
    }
  } finally {
    signal?.removeEventListener("abort", abort);
    child.unref(); // not earlier: the pipe of an unreferenced child does not keep this process alive
  }
  const state = await readState(files);
  if (state) return state;
  throw new SalesflowError(`The embedded ${config.engine} stopped right after starting`, {
    exitCode: 75,
    remedy: `See ${files.log}.`,
  });
}
