/** Starting a host process (host.ts). */
import { fileURLToPath } from "node:url";
import { SalesflowError } from "../../console/errors.ts";
import type { HostOrder, HostReport } from "./host.ts";
import { type HomeFiles, type HostState, readState } from "./home_files.ts";
import { rotateLog } from "./log_file.ts";

/** The hidden subcommand of the executable that runs the host. */
export const HOST_SUBCOMMAND = "embedded-host";

/** What the host needs to do, when it runs from source: each engine its own, and nobody the environment. */
function permissions({ engine }: HostOrder): string[] {
  const every = ["--no-prompt", "--allow-read", "--allow-write", "--allow-net=127.0.0.1", "--ignore-env"];
  return engine === "postgres"
    // Who this is decides how PostgreSQL's programs are run.
    ? [...every, "--allow-run", "--allow-env=PATH", "--allow-sys=uid,gid"]
    // Reading what a library's functions return needs the whole permission, not only the library's path.
    : [...every, "--allow-ffi"];
}

/** The command that runs the host: the executable itself, or Deno on the source. */
export function hostCommand(order: HostOrder, standalone: boolean = Deno.build.standalone): string[] {
  const words = JSON.stringify(order);
  if (standalone) return [Deno.execPath(), HOST_SUBCOMMAND, words];
  const main = fileURLToPath(import.meta.resolve("./host_main.ts"));
  // It imports nothing but files of this project, so neither configuration nor lock file is needed.
  const modules = ["--quiet", "--no-config", "--no-lock", "--no-remote"];
  return [Deno.execPath(), "run", ...modules, ...permissions(order), main, words];
}

/** The first line of a stream, or undefined when it ends before one. */
async function firstLine(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<string | undefined> {
  let text = "";
  for await (const chunk of stream.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    const end = text.indexOf("\n");
    if (end >= 0) return text.slice(0, end); // leaving the loop closes the pipe
  }
  return undefined;
}

/**
 * Starts the host in a session of its own, so that the terminal's Ctrl-C and hang-up do not reach it, and
 * waits until its server answers. The caller holds the start lock and the use lock.
 */
export async function spawnHost(
  files: HomeFiles,
  order: HostOrder,
  signal: AbortSignal | undefined,
): Promise<HostState> {
  await rotateLog(files.log);
  const child = new Deno.Command("/bin/sh", {
    // The shell only puts standard error into the log: an engine that crashes says so there.
    args: [
      "-c",
      'log=$1; shift; (umask 077; : >>"$log"); exec "$@" 2>>"$log"',
      "sh",
      files.log,
      ...hostCommand(order),
    ],
    stdin: "null",
    stdout: "piped",
    stderr: "null",
    env: { TZ: "UTC" }, // what the engine takes for the server's time zone
    detached: true,
  }).spawn();
  const abort = () => child.kill("SIGTERM");
  signal?.addEventListener("abort", abort, { once: true });
  try {
    const line = await firstLine(child.stdout);
    if (line === undefined) {
      signal?.throwIfAborted();
      const { code, signal: killer } = await child.status;
      throw new SalesflowError(
        `The embedded ${order.engine} ended while starting (${killer ?? `exit code ${code}`})`,
        {
          remedy: `Look into ${files.log}.`,
        },
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
    child.unref(); // only now: an unreferenced child's pipe would not keep this process waiting
  }
  const state = await readState(files);
  if (state) return state;
  throw new SalesflowError(`The embedded ${order.engine} stopped right after it had started`, {
    exitCode: 75,
    remedy: `Look into ${files.log}.`,
  });
}
