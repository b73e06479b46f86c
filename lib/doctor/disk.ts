/** Doctor's look at free disk space: once for each place where a run writes. */
import { statfs } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import type { Finding } from "./finding.ts";

/** A run of 1,000,000 sales takes about 0.5 GB in files and tables, the engines of embedded databases 0.7 GB. */
const WANTED_BYTES = 2e9;

/** Free bytes where the folder lies. */
export type FreeBytes = (folder: string) => Promise<number>;

async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

/** The folder, or the nearest one above it that exists: it will be made there. */
async function nearest(folder: string): Promise<string> {
  for (let at = resolve(folder);; at = dirname(at)) {
    const found = await Deno.stat(at).catch(() => undefined);
    if (found?.isDirectory || at === dirname(at)) return at;
  }
}

/**
 * Measures places by their names, such as `store`; those that lie in one folder are one finding.
 *
 * @param free how to measure; the system's answer unless a test has its own
 */
export async function checkDisks(
  places: ReadonlyMap<string, string>,
  free: FreeBytes = freeBytes,
): Promise<Finding[]> {
  const byFolder = new Map<string, string[]>();
  for (const [name, place] of places) {
    const folder = await nearest(place);
    byFolder.set(folder, [...byFolder.get(folder) ?? [], name]);
  }
  return await Promise.all([...byFolder].map(async ([folder, names]): Promise<Finding> => {
    const bytes = await free(folder);
    const found = `${(bytes / 1e9).toFixed(1)} GB free in ${folder} (${names.join(", ")})`;
    if (bytes >= WANTED_BYTES) return { state: "fine", subject: "disk", found };
    const remedy = "A run of 1,000,000 sales takes about 0.5 GB; keep 2 GB free.";
    return { state: "warning", subject: "disk", found, remedy };
  }));
}
