/** Shards of one raw dataset, made by different processes: each leaves a note of its parts, and the last one to finish publishes. */
import { z } from "zod";
import { type Part, partName } from "../dataset/dataset.ts";
import type { Store } from "../store/store.ts";
import { addDefects, addSums, type DefectCounts, noDefects, noSums, type SaleSums } from "./raw_lines.ts";

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

/** Parts that were made, in order, what was injected into them, and what their valid sales add up to. */
export interface MadeParts {
  parts: Part[];
  counts: DefectCounts;
  sums: SaleSums;
}

/** What a shard has made. */
export type ShardNote = ShardParameters & MadeParts;

const sumSchema = z.string().regex(/^\d+$/).transform(BigInt);

const noteSchema = z.object({
  parameters: z.record(z.string(), z.number()),
  partitions: z.number(),
  as_of: z.string(),
  parts: z.array(z.object({ name: z.string(), rows: z.number(), bytes: z.number(), sha256: z.string() })),
  counts: z.custom<DefectCounts>((value) => typeof value === "object" && value !== null),
  sums: z.object({ quantity: sumSchema, cents: sumSchema }),
});

/** Name of a shard's note in the dataset's folder. */
export function shardFile({ number, of }: Shard): string {
  return `shard-${number}-of-${of}.json`;
}

/** Leaves the note of a finished shard. */
export async function writeShard(store: Store, folder: string, shard: Shard, note: ShardNote): Promise<void> {
  const text = JSON.stringify(note, (_, value) => typeof value === "bigint" ? String(value) : value, 2);
  await store.writeText(`${folder}/${shardFile(shard)}`, text + "\n");
}

/** What all shards made; undefined while one is missing, or was made with other parameters or by another version. */
export async function readShards(
  store: Store,
  folder: string,
  of: number,
  expected: ShardParameters,
): Promise<MadeParts | undefined> {
  const byName = new Map<string, Part>();
  const counts = noDefects();
  const sums = noSums();
  for (let number = 1; number <= of; number++) {
    const text = await store.readText(`${folder}/${shardFile({ number, of })}`);
    if (text === undefined) return undefined;
    const note = noteSchema.safeParse(JSON.parse(text));
    if (!note.success) return undefined;
    const { parts, counts: own, sums: ownSums, ...parameters } = note.data;
    const { parameters: values, partitions, as_of } = expected;
    if (JSON.stringify(parameters) !== JSON.stringify({ parameters: values, partitions, as_of })) {
      return undefined;
    }
    for (const part of parts) byName.set(part.name, part);
    addDefects(counts, own);
    addSums(sums, ownSums);
  }
  const parts = Array.from({ length: expected.partitions }, (_, index) => byName.get(partName(index))!);
  return { parts, counts, sums };
}
