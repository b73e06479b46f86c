import { z } from "zod";
import { generate, type GenerateOptions } from "../../lib/generate/generate.ts";
import type { RunRecord } from "../../lib/pipeline/records.ts";
import { defaultThreads } from "../../lib/workers/pool.ts";
import { type AnyCommand, defineCommand, type Option, type Values } from "../command.ts";
import { fraction, stageOptions, wholeNumber, workersOption } from "../options.ts";
import { Session } from "../session.ts";

/** Not declared as defaults of the options, so that `run` can tell which options were given. */
const DEFAULTS = { rows: 1_000_000, defectRate: 0.02, products: 500, customers: 50_000, partitions: 4 };

/** Options of `generate` and `run`. */
export const generateOptions = {
  rows: {
    help: "Number of distinct valid sales",
    placeholder: "N",
    schema: wholeNumber(1, 2_000_000_000).optional(),
    defaultText: "1,000,000",
  },
  seed: {
    help: "Seed of the random generator; same seed and sizes, same bytes",
    placeholder: "N",
    schema: wholeNumber(0, Number.MAX_SAFE_INTEGER).optional(),
    defaultText: "the as-of date as YYYYMMDD",
  },
  defectRate: {
    help: "Injected duplicates and defects per sale, and share of sales in unusual formats",
    placeholder: "SHARE",
    schema: fraction(0, 0.5).optional(),
    defaultText: "0.02",
  },
  products: {
    help: "Number of products in the catalogue",
    placeholder: "N",
    schema: wholeNumber(1, 100_000).optional(),
    defaultText: "500",
  },
  customers: {
    help: "Number of customers",
    placeholder: "N",
    schema: wholeNumber(1, 100_000_000).optional(),
    defaultText: "50,000",
  },
  partitions: {
    help: "Number of files of the dataset",
    placeholder: "N",
    schema: wholeNumber(1, 10_000).optional(),
    defaultText: "4, or the number of shards if that is larger",
  },
  ...workersOption,
} satisfies Record<string, Option>;

/** Converts option values to the options of the stage. */
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

/** Returns the given options that differ from the parameters of existing data, such as `--rows 77`. */
export function findIgnoredOptions(
  values: Values<typeof generateOptions>,
  { parameters }: Pick<RunRecord, "parameters">,
): string[] {
  const given = {
    rows: values.rows,
    seed: values.seed,
    "defect-rate": values.defectRate,
    products: values.products,
    customers: values.customers,
  };
  return Object.entries(given)
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

/** `salesflow generate`. */
const command: AnyCommand = defineCommand({
  name: "generate",
  summary: "Generate a year of realistic, deliberately dirty raw sales",
  description:
    "The rows depend only on the seed, the as-of date and the sizes, not on the number of partitions, threads or shards.",
  options: {
    ...generateOptions,
    shard: {
      help: "Generate only shard K of N; the last shard to finish publishes the dataset",
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
    const lock = shard ? { lock: `generate-${shard.number}-of-${shard.of}` } : {};
    await Session.with(values, { newRun: "generated", ...lock }, async (session) => {
      await session.stage(
        "generate",
        (context) => generate(context, toGenerateOptions(values, session.asOf, shard)),
      );
    });
  },
});
export default command;
