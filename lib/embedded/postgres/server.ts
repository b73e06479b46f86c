/** Runs the embedded PostgreSQL server as a child process. */
import { SalesflowError } from "../../console/errors.ts";
import { type Access, findFreePort, generatePassword } from "../server/access.ts";
import { writeLog } from "../server/log_file.ts";
import type { Server, ServerOptions } from "../server/server.ts";
import { clusterExists, createCluster, dataFolder, resetPassword, ROLE } from "./cluster.ts";
import { stopOrphans } from "./orphans.ts";
import { KILLED_REMEDY, programCommand } from "./program.ts";
import { chooseServerUser, type ServerUser } from "./server_user.ts";
import { settingArguments } from "./settings.ts";

const READY = "database system is ready to accept connections";
const PORT_TAKEN = "could not create any TCP/IP sockets";
const MAX_START_ATTEMPTS = 3;
/** How many lines of the log an error shows. */
const MAX_SHOWN_LINES = 12;
/** A fast shutdown writes all dirty pages, which takes a while on a slow disk. */
const FAST_SHUTDOWN_TIMEOUT_MS = 60_000;

/**
 * Returns a command prefix with which the kernel stops the server when this process is killed. Only Linux has it;
 * elsewhere the next start stops the orphan.
 */
async function parentDeathPrefix(): Promise<string[]> {
  if (Deno.build.os !== "linux") return [];
  const prefix = ["setpriv", "--pdeathsig", "INT", "--"];
  const args = [...prefix.slice(1), "true"];
  try {
    const { success } = await new Deno.Command("setpriv", { args, stderr: "null" }).output();
    return success ? prefix : [];
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

type StartResult = { ready: true } | { ready: false; lines: string[]; killed: boolean };

/** Copies the server's stderr to the log; resolves when the server is ready, or with its last lines when it exits. */
async function waitForStart(child: Deno.ChildProcess): Promise<StartResult> {
  const lines: string[] = [];
  const decoder = new TextDecoder();
  const { promise, resolve } = Promise.withResolvers<StartResult>();
  (async () => {
    let rest = "";
    for await (const chunk of child.stderr) {
      writeLog(chunk);
      const parts = (rest + decoder.decode(chunk, { stream: true })).split("\n");
      rest = parts.pop() ?? "";
      if (parts.some((line) => line.includes(READY))) resolve({ ready: true });
      lines.push(...parts);
      lines.splice(0, lines.length - MAX_SHOWN_LINES);
    }
    const { signal } = await child.status;
    resolve({ ready: false, lines, killed: signal === "SIGKILL" });
  })();
  return await promise;
}

async function stopChild(child: Deno.ChildProcess): Promise<void> {
  const kill = (signal: Deno.Signal) => {
    try {
      child.kill(signal);
    } catch (error) {
      const hasExited = error instanceof TypeError || error instanceof Deno.errors.NotFound;
      if (!hasExited) throw error;
    }
  };
  kill("SIGINT");
  const timer = setTimeout(() => kill("SIGQUIT"), FAST_SHUTDOWN_TIMEOUT_MS);
  await child.status;
  clearTimeout(timer);
}

/** Stops orphans and creates the cluster if it is missing; returns the access that is valid for it. */
async function prepareCluster(user: ServerUser, options: ServerOptions): Promise<Access> {
  const { access, saveAccess, log } = options;
  const orphans = await stopOrphans(dataFolder(user));
  if (orphans.length > 0) log(`stopped orphaned PostgreSQL processes of a killed run: ${orphans.join(", ")}`);
  if (access && await clusterExists(user)) return access;
  const newAccess = { port: access?.port ?? findFreePort(), password: generatePassword() };
  if (await clusterExists(user)) await resetPassword(user, newAccess.password);
  else await createCluster(user, newAccess.password);
  await saveAccess(newAccess);
  return newAccess;
}

/**
 * Starts PostgreSQL on a folder, creating the cluster if it is missing, and waits until it accepts connections.
 *
 * @throws {SalesflowError} with the last lines of the server's log when it does not start
 */
export async function startPostgres(options: ServerOptions): Promise<Server> {
  const { logFile, saveAccess } = options;
  await Deno.mkdir(options.folder, { recursive: true, mode: 0o700 });
  const user = await chooseServerUser(options.path, options.folder);
  const [access, prefix] = await Promise.all([prepareCluster(user, options), parentDeathPrefix()]);
  let lines: string[] = [];
  for (let attempt = 1; attempt <= MAX_START_ATTEMPTS; attempt++) {
    const port = findFreePort(access.port);
    const args = ["-D", dataFolder(user), ...settingArguments(port)];
    const stdio = { stdin: "null", stdout: "null", stderr: "piped" } as const;
    const child = programCommand(user, "postgres", args, stdio, prefix).spawn();
    const result = await waitForStart(child);
    if (result.ready) {
      if (port !== access.port) await saveAccess({ ...access, port });
      return {
        url: `postgres://${ROLE}:${access.password}@127.0.0.1:${port}/${ROLE}`,
        ended: child.status.then(() => {}),
        stop: () => stopChild(child),
      };
    }
    lines = result.lines;
    if (result.killed) {
      throw new SalesflowError("PostgreSQL was killed while starting", {
        exitCode: 75,
        remedy: KILLED_REMEDY,
      });
    }
    if (!lines.some((line) => line.includes(PORT_TAKEN))) break;
  }
  throw new SalesflowError(`PostgreSQL does not start:\n${lines.join("\n")}`, {
    remedy: `See ${logFile}.`,
  });
}
