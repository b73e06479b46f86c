/** The embedded PostgreSQL server: one child process, from start to stop. */
import { SalesflowError } from "../../console/errors.ts";
import { type Access, freePort, newPassword } from "../host/home_files.ts";
import { writeLog } from "../host/log_file.ts";
import type { Server, ServerOptions } from "../host/server.ts";
import { clusterExists, createCluster, dataFolder, resetPassword, ROLE } from "./cluster.ts";
import { stopOrphans } from "./orphans.ts";
import { KILLED_REMEDY, program } from "./program.ts";
import { chooseServerUser, type ServerUser } from "./server_user.ts";
import { settingArguments } from "./settings.ts";

const READY = "database system is ready to accept connections";
const PORT_TAKEN = "could not create any TCP/IP sockets";
const START_ATTEMPTS = 3;
/** Lines of the log that an error shows. */
const SHOWN_LINES = 12;
/** A fast shutdown writes all dirty pages; on a slow disk this takes a while. */
const FAST_STOP_MS = 60_000;

/** On Linux the kernel stops the server when our process is killed; elsewhere the next start does. */
async function tiedToParent(): Promise<string[]> {
  if (Deno.build.os !== "linux") return [];
  const tie = ["setpriv", "--pdeathsig", "INT", "--"];
  try {
    const { success } = await new Deno.Command("setpriv", { args: [...tie.slice(1), "true"], stderr: "null" })
      .output();
    return success ? tie : [];
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

type Outcome = { ready: true } | { ready: false; said: string[]; killed: boolean };

/**
 * Copies what the server says to standard error; resolves when it is ready, or with its last lines when it
 * ends.
 */
async function watch(child: Deno.ChildProcess): Promise<Outcome> {
  const lines: string[] = [];
  const decoder = new TextDecoder();
  const { promise, resolve } = Promise.withResolvers<Outcome>();
  (async () => {
    let rest = "";
    for await (const chunk of child.stderr) {
      writeLog(chunk);
      const parts = (rest + decoder.decode(chunk, { stream: true })).split("\n");
      rest = parts.pop() ?? "";
      if (parts.some((line) => line.includes(READY))) resolve({ ready: true });
      lines.push(...parts);
      lines.splice(0, lines.length - SHOWN_LINES);
    }
    const { signal } = await child.status;
    resolve({ ready: false, said: lines, killed: signal === "SIGKILL" });
  })();
  return await promise;
}

async function stopChild(child: Deno.ChildProcess): Promise<void> {
  const kill = (signal: Deno.Signal) => {
    try {
      child.kill(signal);
    } catch (error) {
      const hasEnded = error instanceof TypeError || error instanceof Deno.errors.NotFound;
      if (!hasEnded) throw error;
    }
  };
  kill("SIGINT");
  const timer = setTimeout(() => kill("SIGQUIT"), FAST_STOP_MS);
  await child.status;
  clearTimeout(timer);
}

/** Makes the cluster or finds it in order; returns the access that works on it. */
async function prepare(user: ServerUser, options: ServerOptions): Promise<Access> {
  const { access, keepAccess, note } = options;
  const orphans = await stopOrphans(dataFolder(user));
  if (orphans.length > 0) note(`stopped PostgreSQL processes of a killed run: ${orphans.join(", ")}`);
  if (access && await clusterExists(user)) return access;
  const fresh = { port: access?.port ?? freePort(), password: newPassword() };
  if (await clusterExists(user)) await resetPassword(user, fresh.password);
  else await createCluster(user, fresh.password);
  await keepAccess(fresh);
  return fresh;
}

/**
 * Starts PostgreSQL on a folder, making the cluster first when there is none, and waits until it answers.
 *
 * @throws {SalesflowError} with the server's last words when it does not start
 */
export async function startPostgres(options: ServerOptions): Promise<Server> {
  const { log, keepAccess } = options;
  await Deno.mkdir(options.folder, { recursive: true, mode: 0o700 });
  const user = await chooseServerUser(options.path, options.folder);
  const [access, prefix] = await Promise.all([prepare(user, options), tiedToParent()]);
  let said: string[] = [];
  for (let attempt = 1; attempt <= START_ATTEMPTS; attempt++) {
    const port = freePort(access.port);
    const args = ["-D", dataFolder(user), ...settingArguments(port)];
    const child = program(user, "postgres", args, { stdin: "null", stdout: "null", stderr: "piped" }, prefix)
      .spawn();
    const outcome = await watch(child);
    if (outcome.ready) {
      if (port !== access.port) await keepAccess({ ...access, port });
      return {
        url: `postgres://${ROLE}:${access.password}@127.0.0.1:${port}/${ROLE}`,
        ended: child.status.then(() => {}),
        stop: () => stopChild(child),
      };
    }
    said = outcome.said;
    if (outcome.killed) {
      throw new SalesflowError("PostgreSQL was killed while it started", {
        exitCode: 75,
        remedy: KILLED_REMEDY,
      });
    }
    if (!said.some((line) => line.includes(PORT_TAKEN))) break;
  }
  throw new SalesflowError(`PostgreSQL does not start:\n${said.join("\n")}`, {
    remedy: `Look into ${log}.`,
  });
}
