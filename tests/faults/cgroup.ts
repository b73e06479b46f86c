/** Memory limits by control groups, as for containers and pods. Requires root. */
import { join } from "node:path";

const ROOT = "/sys/fs/cgroup";
/** File names in cgroup v1 and v2. */
const FILES = {
  v1: { limit: "memory.limit_in_bytes", peak: "memory.max_usage_in_bytes", kills: "memory.oom_control" },
  v2: { limit: "memory.max", peak: "memory.peak", kills: "memory.events" },
};

/** Reason for skipping memory faults. */
export const NO_GROUPS = "cannot create a memory control group on this machine";

/**
 * Returns the folder of a new group: a child of our own group in v1, a sibling in v2, where groups with processes cannot
 * have children.
 */
function locateGroup(name: string): { folder: string; files: typeof FILES["v1"] } | undefined {
  const lines = Deno.readTextFileSync("/proc/self/cgroup").split("\n").map((line) => line.split(":"));
  const v1 = lines.find(([, controllers]) => controllers?.split(",").includes("memory"));
  if (v1) return { folder: join(ROOT, "memory", v1[2]!, name), files: FILES.v1 };
  const v2 = lines.find(([number]) => number === "0");
  return v2 ? { folder: join(ROOT, v2[2]!, "..", name), files: FILES.v2 } : undefined;
}

/** A group of processes with a shared memory limit. */
export class MemoryGroup {
  readonly #folder: string;
  readonly #files: typeof FILES["v1"];

  private constructor(folder: string, files: typeof FILES["v1"]) {
    this.#folder = folder;
    this.#files = files;
  }

  /** Creates a group; undefined if groups are unavailable or not permitted. */
  static create(limitMiB: number): MemoryGroup | undefined {
    const found = locateGroup(`salesflow-${crypto.randomUUID().slice(0, 8)}`);
    if (!found) return undefined;
    try {
      Deno.mkdirSync(found.folder);
    } catch {
      return undefined;
    }
    const group = new MemoryGroup(found.folder, found.files);
    try {
      group.#write(found.files.limit, String(limitMiB * 1024 * 1024));
      return group;
    } catch {
      group.remove();
      return undefined;
    }
  }

  #write(name: string, text: string): void {
    using file = Deno.openSync(join(this.#folder, name), { write: true });
    file.writeSync(new TextEncoder().encode(text));
  }

  /** Prefix for a command line that starts the command in this group. */
  get prefix(): string[] {
    return ["sh", "-c", 'echo $$ > "$0" && exec "$@"', join(this.#folder, "cgroup.procs")];
  }

  /** Peak memory of the group, including the page cache. */
  get peakMiB(): number {
    return Math.round(Number(Deno.readTextFileSync(join(this.#folder, this.#files.peak))) / 1024 / 1024);
  }

  /** Number of processes killed by the kernel at the limit. */
  get kills(): number {
    const found = /^oom_kill (\d+)$/m.exec(Deno.readTextFileSync(join(this.#folder, this.#files.kills)));
    return Number(found?.[1] ?? 0);
  }

  /** Removes the group. Its processes must have exited. */
  remove(): void {
    Deno.removeSync(this.#folder);
  }
}
