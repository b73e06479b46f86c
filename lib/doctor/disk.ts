/** Checks free disk space, once for each disk that a run writes to. */
import { statfs } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { formatBytes } from "../console/bytes.ts";
import type { Finding } from "./finding.ts";

/**
 * Bytes that a run of the default size, 1,000,000 sales, was measured to write: its files, the embedded databases with its
 * tables, and each engine with its download, which is removed once it is unpacked.
 */
export const DISK_NEEDS = {
  files: 100e6,
  databases: { postgres: 150e6, clickhouse: 10e6 },
  engines: { postgres: 82e6, clickhouse: 745e6 },
} as const;

/** What a run needs in a folder. */
export interface DiskNeed {
  /** What is stored there, such as `store`. */
  name: string;
  /** The folder; it need not exist. */
  folder: string;
  /** Bytes that will be written. */
  bytes: number;
  /** Option or variable that selects another folder. */
  setting: string;
}

/** A file system. */
export interface Disk {
  /** Tells file systems apart. */
  id: number;
  /** Bytes that this user can still write. */
  freeBytes: number;
}

/** Measures the file system that holds a folder. */
export type MeasureDisk = (folder: string) => Promise<Disk>;

async function measureDisk(folder: string): Promise<Disk> {
  const { bavail, bsize } = await statfs(folder);
  return { id: (await Deno.stat(folder)).dev, freeBytes: bavail * bsize };
}

/** Returns the folder, or its nearest existing ancestor if it has not been created yet. */
async function nearestExistingFolder(folder: string): Promise<string> {
  for (let path = resolve(folder);; path = dirname(path)) {
    const info = await Deno.stat(path).catch(() => undefined);
    if (info?.isDirectory || path === dirname(path)) return path;
  }
}

/** Formats what is stored where, such as `/data (store, embedded databases), /cache (database engines)`. */
function formatFolders(needs: readonly { name: string; existing: string }[]): string {
  const names = Map.groupBy(needs, ({ existing }) => existing);
  return [...names].map(([folder, same]) => `${folder} (${same.map(({ name }) => name).join(", ")})`).join(
    ", ",
  );
}

/**
 * Checks that each disk has the space that its needs add up to. It fails where there is less, and warns where there is less
 * than twice as much.
 *
 * @param needs what is written to each folder
 * @param measure measures the disk of an existing folder. @default {statfs(2)}
 */
export async function checkDisks(
  needs: readonly DiskNeed[],
  measure: MeasureDisk = measureDisk,
): Promise<Finding[]> {
  const located = await Promise.all(needs.map(async (need) => {
    const existing = await nearestExistingFolder(need.folder);
    return { ...need, existing, disk: await measure(existing) };
  }));
  return [...Map.groupBy(located, ({ disk }) => disk.id).values()].map((same): Finding => {
    const free = Math.min(...same.map(({ disk }) => disk.freeBytes));
    const needed = same.reduce((sum, { bytes }) => sum + bytes, 0);
    const message = `${formatBytes(free)} free in ${formatFolders(same)}; ` +
      `a run of 1,000,000 sales needs about ${formatBytes(needed)} there`;
    if (free >= 2 * needed) return { state: "ok", subject: "disk", message };
    const settings = [...new Set(same.map(({ setting }) => setting))];
    const elsewhere = `choose a folder on another disk with ${settings.join(", ")}`;
    return free < needed
      ? {
        state: "failed",
        subject: "disk",
        message,
        remedy: `Free at least ${formatBytes(needed - free)}, or ${elsewhere}.`,
      }
      : {
        state: "warning",
        subject: "disk",
        message,
        remedy: `It is enough for one such run; before more or larger ones, free space or ${elsewhere}.`,
      };
  });
}
