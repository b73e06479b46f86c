import { z } from "zod";
import { generate, type GenerateOptions } from "../../lib/generate/generate.ts";
import type { RunRecord } from "../../lib/pipeline/records.ts";
import { defaultThreads } from "../../lib/workers/pool.ts";
import { defineCommand, type Option, type Values } from "../command.ts";
import { fraction, stageOptions, wholeNumber, workersOption } from "../options.ts";
import { Session } from "../session.ts";

/** Applied behind the declaration, so that `run` can tell what was asked for from what was not. */
const DEFAULTS = { rows: 1_000_000, defectRate: 0.02, products: 500, customers: 50_000, partitions: 4 };

/** What fixes the bytes of the raw data; `run` has these options too. */
export const generateOptions = {
  rows: {
    help: "Distinct valid sales",
    placeholder: "N",
    schema: wholeNumber(1, 2_000_000_000).optional(),
    defaultText: "1,000,000",
  },
  seed: {
    help: "The same seed and sizes give the same bytes",
    placeholder: "N",
    schema: wholeNumber(0, Number.MAX_SAFE_INTEGER).optional(),
    defaultText: "the as-of date as YYYYMMDD",
  },
  defectRate: {
    help: "Duplicates and defects injected per sale, and share of oddly spelt sales",
    placeholder: "SHARE",
    schema: fraction(0, 0.5).optional(),
    defaultText: "0.02",
  },
  products: {
    help: "Products in the catalogue",
    placeholder: "N",
    schema: wholeNumber(1, 100_000).optional(),
    defaultText: "500",
  },
  customers: {
    help: "Customers of the shop",
    placeholder: "N",
    schema: wholeNumber(1, 100_000_000).optional(),
    defaultText: "50,000",
  },
  partitions: {
    help: "Parts of the dataset",
    placeholder: "N",
    schema: wholeNumber(1, 10_000).optional(),
    defaultText: "4, or the number of shards when that is more",
  },
  ...workersOption,
} satisfies Record<string, Option>;

/** Turns option values into what the stage takes. */
export function toGenerateOptions(
  values: Values<typeof generateOptions>,
  asOf: string,
  shard?: GenerateOptions["shard"],
): GenerateOptions {
  return {
    rows: values.rows ?? DEFAULTS.rows,
    seed: values.seed ?? Number(asOf.replaceAll("-", "")),
    defectRate: values.defectRate ?? DEFAULTS.defectRate,
    products: values.products ?? DEFAULTS.products,
    customers: values.customers ?? DEFAULTS.customers,
    partitions: values.partitions ?? Math.max(DEFAULTS.partitions, shard?.of ?? 1),
    workers: values.workers ?? defaultThreads(),
    ...(shard ? { shard } : {}),
  };
}

/** Values that were asked for although the data of a run are others already, such as `--rows 77`. */
export function unusedValues(
  values: Values<typeof generateOptions>,
  { parameters }: Pick<RunRecord, "parameters">,
): string[] {
  const asked = {
    rows: values.rows,
    seed: values.seed,
    "defect-rate": values.defectRate,
    products: values.products,
    customers: values.customers,
  };
  return Object.entries(asked)
    .filter(([name, value]) => value !== undefined && value !== parameters[name.replace("-", "_")])
    .map(([name, value]) => `--${name} ${value}`);
}

const shardSchema = z.string().transform((text, context) => {
  const found = /^(\d{1,5})\/(\d{1,5})$/.exec(text);
  const shard = { number: Number(found?.[1]), of: Number(found?.[2]) };
  if (shard.number >= 1 && shard.number <= shard.of) return shard;
  context.addIssue({ code: "custom", message: "it must be NUMBER/OF, such as 3/16, counted from 1" });
  return z.NEVER;
});

export default defineCommand({
  name: "generate",
  summary: "Make a year of plausible, deliberately dirty raw sales",
  description:
    "The seed, the as-of date and the sizes fix every byte, whatever the number of parts, threads and shards.",
  options: {
    ...generateOptions,
    shard: {
      help: "Make one share of the parts only; the shard that finishes last publishes the dataset",
      placeholder: "K/N",
      schema: shardSchema.optional(),
      flagOnly: true,
    },
    ...stageOptions,
  },
  examples: [
    "salesflow generate --rows 100000 --as-of 2026-11-24",
    "salesflow generate --rows 1000000000 --shard 3/16",
  ],
  async run(values) {
    const { shard } = values;
    const share = shard ? { lock: `generate-${shard.number}-of-${shard.of}` } : {};
    await Session.with(values, { newRun: "generated", ...share }, async (session) => {
      await session.stage(
        "generate",
        (context) => generate(context, toGenerateOptions(values, session.asOf, shard)),
      );
    });
  },
});
