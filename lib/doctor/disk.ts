/** Checks free disk space, once for each folder that a run writes to. */
import { statfs } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import type { Finding } from "./finding.ts";

/** A run of 1,000,000 sales takes about 0.5 GB in files and tables, the engines of the embedded databases 0.7 GB. */
const MIN_FREE_BYTES = 2e9;

/** Returns the free bytes of the file system that holds a folder. */
export type MeasureFreeBytes = (folder: string) => Promise<number>;

async function measureFreeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

/** Returns the folder, or its nearest existing ancestor if it has not been created yet. */
async function nearestExistingFolder(folder: string): Promise<string> {
  for (let path = resolve(folder);; path = dirname(path)) {
    const info = await Deno.stat(path).catch(() => undefined);
    if (info?.isDirectory || path === dirname(path)) return path;
  }
}

/**
 * Checks the free space of each folder. Folders with the same nearest existing folder share one finding.
 *
 * @param folders folders by the names to report, such as `store`
 * @param measure returns the free bytes. @default {statfs(2)}
 */
export async function checkDisks(
  folders: ReadonlyMap<string, string>,
  measure: MeasureFreeBytes = measureFreeBytes,
): Promise<Finding[]> {
  const namesByFolder = new Map<string, string[]>();
  for (const [name, path] of folders) {
    const folder = await nearestExistingFolder(path);
    namesByFolder.set(folder, [...namesByFolder.get(folder) ?? [], name]);
  }
  return await Promise.all([...namesByFolder].map(async ([folder, names]): Promise<Finding> => {
    const bytes = await measure(folder);
    const message = `${(bytes / 1e9).toFixed(1)} GB free in ${folder} (${names.join(", ")})`;
    if (bytes >= MIN_FREE_BYTES) return { state: "ok", subject: "disk", message };
    const remedy = "A run of 1,000,000 sales takes about 0.5 GB; keep 2 GB free.";
    return { state: "warning", subject: "disk", message, remedy };
  }));
}
