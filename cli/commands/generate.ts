import { z } from "zod";
import { generate, type GenerateOptions } from "../../lib/generate/generate.ts";
import { logger } from "../../lib/console/log.ts";
import { readRun, type RunRecord } from "../../lib/pipeline/records.ts";
import { defaultThreads } from "../../lib/workers/pool.ts";
import { type AnyCommand, defineCommand, flagName, type Option, type Values } from "../command.ts";
import { fraction, stageOptions, toggle, wholeNumber, workersOption } from "../options.ts";
import { Session } from "../session.ts";

/** Not declared as defaults of the options, so that `run` can tell which options were given. */
const DEFAULTS = { rows: 1_000_000, seed: 1, defectRate: 0.02, products: 500, partitions: 4 };
/** In the public data set CDNOW (an online shop), there is one customer for three orders. */
const SALES_PER_CUSTOMER = 3;

const parametersSchema = z.object({
  rows: z.number(),
  seed: z.number(),
  defect_rate: z.number(),
  products: z.number(),
  customers: z.number(),
}).partial();

/** Options of `generate` and `run`. */
export const generateOptions = {
  rows: {
    help: "Number of distinct valid sales",
    placeholder: "N",
    schema: wholeNumber(1, 2_000_000_000).optional(),
    defaultText: "the run's, or 1,000,000",
  },
  seed: {
    help: "Seed of the random generator: another seed, another shop",
    placeholder: "N",
    schema: wholeNumber(0, Number.MAX_SAFE_INTEGER).optional(),
    defaultText: "the run's, or 1",
  },
  defectRate: {
    help: "Injected duplicates and defects per sale, and share of sales in unusual formats",
    placeholder: "SHARE",
    schema: fraction(0, 0.5).optional(),
    defaultText: "the run's, or 0.02",
  },
  products: {
    help: "Number of products in the catalogue",
    placeholder: "N",
    schema: wholeNumber(1, 100_000).optional(),
    defaultText: "the run's, or 500",
  },
  customers: {
    help: "Number of new customers in the year",
    placeholder: "N",
    schema: wholeNumber(1, 100_000_000).optional(),
    defaultText: "the run's, or a third of the rows",
  },
  partitions: {
    help: "Number of files of the dataset",
    placeholder: "N",
    schema: wholeNumber(1, 10_000).optional(),
    defaultText: "4, or the number of shards if that is larger",
  },
  ...workersOption,
} satisfies Record<string, Option>;

/**
 * Converts option values to the options of the stage.
 *
 * @param existing the run as recorded: what is not given stays as it was, so that repeating a run cannot silently resize it
 */
export function toGenerateOptions(
  values: Values<typeof generateOptions>,
  asOf: string,
  existing?: RunRecord,
  shard?: GenerateOptions["shard"],
): GenerateOptions {
  const isSame = existing?.source === "generated" && existing.as_of === asOf;
  const recorded = parametersSchema.parse(isSame ? existing.parameters : {});
  const rows = values.rows ?? recorded.rows ?? DEFAULTS.rows;
  return {
    rows,
    seed: values.seed ?? recorded.seed ?? DEFAULTS.seed,
    defectRate: values.defectRate ?? recorded.defect_rate ?? DEFAULTS.defectRate,
    products: values.products ?? recorded.products ?? DEFAULTS.products,
    customers: values.customers ?? (rows === recorded.rows ? recorded.customers : undefined) ??
      Math.ceil(rows / SALES_PER_CUSTOMER),
    partitions: values.partitions ?? Math.max(DEFAULTS.partitions, shard?.of ?? 1),
    workers: values.workers ?? defaultThreads(),
    ...(shard ? { shard } : {}),
  };
}

/** Logs the options that an existing run keeps because they were not given, where they differ from the defaults. */
export function logKeptOptions(
  values: Values<typeof generateOptions>,
  options: GenerateOptions,
  existing: RunRecord | undefined,
): void {
  if (!existing) return;
  const names = ["rows", "seed", "defectRate", "products"] as const;
  const kept = names
    .filter((name) => values[name] === undefined && options[name] !== DEFAULTS[name])
    .map((name) => `--${flagName(name)} ${options[name]}`);
  if (kept.length > 0) logger("generate").info(`run ${existing.run_id} keeps ${kept.join(" ")}`);
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
    "The rows depend only on the seed, the as-of date and the sizes, not on the number of partitions, threads or shards.\n" +
    "Years that overlap share the shop: with the same seed and sizes, a day has the same sales in both, apart from the oldest week.",
  options: {
    ...generateOptions,
    shard: {
      help: "Generate only shard K of N; the last shard to finish publishes the dataset",
      placeholder: "K/N",
      schema: shardSchema.optional(),
      flagOnly: true,
    },
    keepIngested: {
      help: "Do nothing when the run's sales were ingested",
      schema: toggle,
      flagOnly: true,
    },
    ...stageOptions,
  },
  examples: [
    "salesflow generate --rows 100000 --as-of 2026-11-24",
    "salesflow generate --rows 1000000000 --shard 3/16",
  ],
  async run(values) {
    const { shard, keepIngested } = values;
    const lock = shard ? { lock: `generate-${shard.number}-of-${shard.of}` } : {};
    await Session.with(values, { newRun: keepIngested ? true : "generated", ...lock }, async (session) => {
      const existing = await readRun(session.store, session.runId);
      if (existing?.source === "ingested") {
        logger("generate").info(`run ${existing.run_id} keeps the sales that were ingested`);
        return;
      }
      const options = toGenerateOptions(values, session.asOf, existing, shard);
      logKeptOptions(values, options, existing);
      await session.stage("generate", (context) => generate(context, options));
    });
  },
});
export default command;
