/** Shards of one raw dataset, made by different processes: each leaves a note of its parts, and the last one to finish publishes. */
import { z } from "zod";
import { type Part, partName } from "../store/dataset.ts";
import type { Store } from "../store/store.ts";
import { addDefects, type DefectCounts, noDefects } from "./raw_lines.ts";

/** Shard `number` (1 … of) of `of`. */
export interface Shard {
  number: number;
  of: number;
}

/** What must be the same in all shards of a dataset. */
export interface ShardParameters {
  parameters: Record<string, number>;
  partitions: number;
  as_of: string;
}

/** What a shard has made. */
export interface ShardNote extends ShardParameters {
  parts: Part[];
  counts: DefectCounts;
}

const noteSchema = z.object({
  parameters: z.record(z.string(), z.number()),
  partitions: z.number(),
  as_of: z.string(),
  parts: z.array(z.object({ name: z.string(), rows: z.number(), bytes: z.number(), sha256: z.string() })),
  counts: z.custom<DefectCounts>((value) => typeof value === "object" && value !== null),
});

/** Name of a shard's note in the dataset's folder. */
export function shardFile({ number, of }: Shard): string {
  return `shard-${number}-of-${of}.json`;
}

/** Leaves the note of a finished shard. */
export async function writeShard(store: Store, folder: string, shard: Shard, note: ShardNote): Promise<void> {
  await store.writeText(`${folder}/${shardFile(shard)}`, JSON.stringify(note, null, 2) + "\n");
}

/** Parts and counts of all shards; undefined while one is missing or was made with other parameters. */
export async function readShards(
  store: Store,
  folder: string,
  of: number,
  expected: ShardParameters,
): Promise<{ parts: Part[]; counts: DefectCounts } | undefined> {
  const byName = new Map<string, Part>();
  const counts = noDefects();
  for (let number = 1; number <= of; number++) {
    const text = await store.readText(`${folder}/${shardFile({ number, of })}`);
    if (text === undefined) return undefined;
    const { parts, counts: own, ...parameters } = noteSchema.parse(JSON.parse(text));
    const { parameters: values, partitions, as_of } = expected;
    if (JSON.stringify(parameters) !== JSON.stringify({ parameters: values, partitions, as_of })) {
      return undefined;
    }
    for (const part of parts) byName.set(part.name, part);
    addDefects(counts, own);
  }
  const parts = Array.from({ length: expected.partitions }, (_, index) => byName.get(partName(index))!);
  return { parts, counts };
}
