/** A limit of memory by the kernel's control groups, as containers and pods have it; only root may set one. */
import { join } from "node:path";

const ROOT = "/sys/fs/cgroup";
/** Names of files in version 1 and 2. */
const FILES = {
  v1: { limit: "memory.limit_in_bytes", peak: "memory.max_usage_in_bytes", kills: "memory.oom_control" },
  v2: { limit: "memory.max", peak: "memory.peak", kills: "memory.events" },
};

/** Why a fault of memory is not tried. */
export const NO_GROUPS = "this machine lets nobody make a control group for memory";

/** The folder of a new group: below our own in version 1, beside it in version 2, where groups with processes have no groups below. */
function place(name: string): { folder: string; files: typeof FILES["v1"] } | undefined {
  const lines = Deno.readTextFileSync("/proc/self/cgroup").split("\n").map((line) => line.split(":"));
  const v1 = lines.find(([, controllers]) => controllers?.split(",").includes("memory"));
  if (v1) return { folder: join(ROOT, "memory", v1[2]!, name), files: FILES.v1 };
  const v2 = lines.find(([number]) => number === "0");
  return v2 ? { folder: join(ROOT, v2[2]!, "..", name), files: FILES.v2 } : undefined;
}

/** A group of processes that share a limit of memory. */
export class MemoryGroup {
  readonly #folder: string;
  readonly #files: typeof FILES["v1"];

  private constructor(folder: string, files: typeof FILES["v1"]) {
    this.#folder = folder;
    this.#files = files;
  }

  /** Undefined where there are no such groups or we may not make one. */
  static make(limitMiB: number): MemoryGroup | undefined {
    const found = place(`salesflow-${crypto.randomUUID().slice(0, 8)}`);
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

  /** What stands before a command line so that the command begins in this group. */
  get prefix(): string[] {
    return ["sh", "-c", 'echo $$ > "$0" && exec "$@"', join(this.#folder, "cgroup.procs")];
  }

  /** The most that the group had at a time, with the cached pages of files. */
  get peakMiB(): number {
    return Math.round(Number(Deno.readTextFileSync(join(this.#folder, this.#files.peak))) / 1024 / 1024);
  }

  /** Processes that the kernel killed because of the limit. */
  get kills(): number {
    const found = /^oom_kill (\d+)$/m.exec(Deno.readTextFileSync(join(this.#folder, this.#files.kills)));
    return Number(found?.[1] ?? 0);
  }

  /** Its processes must have ended. */
  remove(): void {
    Deno.removeSync(this.#folder);
  }
}
