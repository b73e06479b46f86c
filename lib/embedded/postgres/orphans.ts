/** Servers of a cluster that keep running after the process that started them was killed. */
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

/** How long orphans may take to exit before the next, harder signal. */
const SIGNAL_TIMEOUTS_MS: readonly [signal: Deno.Signal, ms: number][] = [
  ["SIGINT", 10_000], // fast shutdown: everything is written
  ["SIGQUIT", 5_000], // immediate shutdown: the next start recovers from the write-ahead log
  ["SIGKILL", 5_000],
];
const POLL_MS = 20;

/** Prints the ids of PostgreSQL processes whose working directory is $1. Deno itself reads /proc only with --allow-all. */
const FIND_IN_PROC = `for process in /proc/[0-9]*; do
  [ "$process/cwd" -ef "$1" ] || continue
  read -r name < "$process/comm" || continue
  [ "$name" = postgres ] && echo "\${process#/proc/}"
done 2>/dev/null; exit 0`;

async function run(command: string, ...args: string[]): Promise<{ success: boolean; text: string }> {
  const { success, stdout } = await new Deno.Command(command, { args, stdin: "null", stderr: "null" })
    .output();
  return { success, text: new TextDecoder().decode(stdout) };
}

/**
 * Returns the process ids of the servers running in the data folder, the postmaster first; outside Linux only the
 * postmaster's.
 */
async function findServers(data: string): Promise<number[]> {
  if (Deno.build.os === "linux") {
    const { text } = await run("/bin/sh", "-c", FIND_IN_PROC, "sh", data);
    return text.split("\n").filter(Boolean).map(Number).sort((left, right) => left - right);
  }
  const { text } = await run("ps", "-A", "-ww", "-o", "pid=,args=");
  const postmaster = text.split("\n").find((line) => line.includes(`postgres -D ${data} `));
  return postmaster ? [parseInt(postmaster)] : [];
}

function signalAll(pids: readonly number[], signal: Deno.Signal): void {
  for (const pid of pids) {
    try {
      Deno.kill(pid, signal);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}

/**
 * Stops every server running in the data folder, so that a new one can start, and removes a pid file whose process id
 * now belongs to another program, because PostgreSQL would refuse to start.
 *
 * The caller must be the only one that may run servers in this folder.
 *
 * @returns process ids of the servers that were found
 */
export async function stopOrphans(data: string): Promise<number[]> {
  const found = await findServers(data);
  let left = found;
  for (const [signal, ms] of SIGNAL_TIMEOUTS_MS) {
    if (left.length === 0) break;
    // A live postmaster stops its own children; without one, every process is signalled.
    signalAll(signal === "SIGINT" ? left.slice(0, 1) : left, signal);
    for (let waitedMs = 0; left.length > 0 && waitedMs < ms; waitedMs += POLL_MS) {
      await delay(POLL_MS);
      left = await findServers(data);
    }
  }
  if (left.length === 0) await removeStalePidFile(data);
  return found;
}

async function removeStalePidFile(data: string): Promise<void> {
  const path = join(data, "postmaster.pid");
  let content: string;
  try {
    content = await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw error;
  }
  const pid = parseInt(content);
  const { success } = await run("/bin/sh", "-c", 'kill -0 "$1"', "sh", String(pid));
  if (success) await Deno.remove(path);
}
