/** Which processes hold a file lock, for messages. */

/** Lines of /proc/locks; those of waiting processes have an arrow in front of FLOCK. */
const HELD = /^\d+: FLOCK\s+ADVISORY\s+\S+\s+(\d+)\s+\S+:(\d+)\s/gm;

/**
 * Returns the ids of the other processes that hold the lock on a file; none when that cannot be known: outside Linux, or
 * for processes of another container.
 */
export async function findLockHolders(path: string): Promise<number[]> {
  try {
    const { ino } = await Deno.stat(path);
    // Deno itself reads /proc only with --allow-all.
    const { stdout } = await new Deno.Command("cat", { args: ["/proc/locks"], stdin: "null", stderr: "null" })
      .output();
    const locks = [...new TextDecoder().decode(stdout).matchAll(HELD)];
    const pids = locks.filter(([, , inode]) => Number(inode) === ino).map(([, pid]) => Number(pid));
    return [...new Set(pids)].filter((pid) => pid > 0 && pid !== Deno.pid);
  } catch {
    return [];
  }
}
