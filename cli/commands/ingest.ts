import { z } from "zod";
import type { MappingRules } from "../../lib/ingest/chunks/mapper_set.ts";
import { isEncoding } from "../../lib/ingest/formats/encoding.ts";
import { checkExports, ingest, type IngestOptions } from "../../lib/ingest/ingest.ts";
import { checkFreshness, noExportYet } from "../../lib/ingest/freshness.ts";
import { findInputs, folderOf, type Input } from "../../lib/ingest/inputs.ts";
import { type ColumnMap, sourceOfMap } from "../../lib/ingest/source/column_copier.ts";
import { loadSource, lookupLocations } from "../../lib/ingest/source/load_source.ts";
import { SALE_COLUMNS } from "../../lib/domain/sale.ts";
import { exitCodeOf, UsageError } from "../../lib/console/errors.ts";
import { asTyped } from "../../lib/console/invocation.ts";
import { escapePlaceholders, logger } from "../../lib/console/log.ts";
import { readRun } from "../../lib/pipeline/records.ts";
import { defaultThreads } from "../../lib/workers/pool.ts";
import { type AnyCommand, defineCommand } from "../command.ts";
import { sourceOption, stageOptions, workersOption } from "../options.ts";
import { callerDirectory } from "../paths.ts";
import { Session } from "../session.ts";

const mapSchema = z.array(z.string()).default([]).transform((pairs, context) => {
  const map: ColumnMap = {};
  for (const pair of pairs) {
    const [ours, theirs] = [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)];
    const column = SALE_COLUMNS.find((name) => name === ours);
    const mistake = !column || !theirs || !pair.includes("=")
      ? `it must be OURS=THEIRS, where OURS is one of ${SALE_COLUMNS.join(", ")}`
      : map[column] === undefined
      ? undefined
      : `${column} is mapped twice`;
    if (mistake) context.addIssue({ code: "custom", message: mistake });
    else map[column!] = theirs;
  }
  return map;
});

const encodingSchema = z.string().optional().refine(
  (label) => label === undefined || isEncoding(label),
  "it must be an encoding, such as utf-8 or windows-1251",
);

/** Returns the rules of a source file, or those that `--map` and `--encoding` stand for. */
async function readRules(
  source: string | undefined,
  map: ColumnMap,
  encoding: string | undefined,
): Promise<MappingRules> {
  if (source === undefined) return { source: sourceOfMap(map, encoding), lookups: [], copies: true };
  if (Object.keys(map).length > 0 || encoding !== undefined) {
    throw new UsageError(["--source has no meaning beside --map and --encoding: the source file says both"]);
  }
  return await loadSource(source);
}

/** Finds the exports; when a source file expects new ones, none at all is worth waiting for. */
async function findExports(patterns: readonly string[], base: string, rules: MappingRules): Promise<Input[]> {
  try {
    return await findInputs(patterns, base, rules.copies ? "given" : "names", lookupLocations(rules));
  } catch (error) {
    if (error instanceof UsageError && rules.source.newestWithinDays !== undefined) {
      throw noExportYet(error.mistakes.join("; "));
    }
    throw error;
  }
}

/** `salesflow ingest`. */
const command: AnyCommand = defineCommand({
  name: "ingest",
  summary: "Import a shop's exports instead of generated sales",
  description:
    "FILE is a path, a glob, a folder, s3://bucket/name, or - for standard input. With --source, a source file says how the\n" +
    "export becomes sales; FILEs take the place of those that it names. Without, columns are copied: they may be in any order,\n" +
    "and --map gives their names.\n" +
    "Creates a run. Continue with: salesflow run --from clean --run-id ID",
  positionals: { placeholder: "FILE…", min: 0, max: 10_000 },
  options: {
    ...sourceOption,
    map: {
      help: "The export's name for a column; may be repeated",
      placeholder: "OURS=THEIRS",
      multiple: true,
      schema: mapSchema,
      flagOnly: true,
    },
    encoding: {
      help: "Encoding of the files",
      placeholder: "NAME",
      schema: encodingSchema,
      defaultText: "by the byte order mark, else utf-8",
    },
    ...workersOption,
    ...stageOptions,
  },
  examples: [
    "salesflow ingest --source shop.yaml",
    "salesflow ingest export.csv.gz --run-id orders --map sale_id=order_no --map sale_amount=total",
  ],
  async run({ source, map, encoding, workers, ...values }, files) {
    const rules = await readRules(source, map, encoding);
    const patterns = files.length > 0 ? files : rules.source.files;
    if (patterns.length === 0) {
      throw new UsageError([
        "Missing argument FILE…: name the exports, or a source file that does with --source",
      ]);
    }
    const base = files.length > 0 || source === undefined ? callerDirectory() : folderOf(source);
    await Session.with(values, { newRun: "ingested" }, async (session) => {
      const { runId, asOf, store, signal } = session;
      const prepare = async (): Promise<IngestOptions> => {
        const inputs = await findExports(patterns, base, rules);
        const { newestWithinDays } = rules.source;
        if (newestWithinDays !== undefined) await checkFreshness(inputs, asOf, newestWithinDays);
        const options = { inputs, rules, workers: workers ?? defaultThreads() };
        await checkExports(options, signal);
        return options;
      };
      const existing = await readRun(store, runId);
      if (existing?.source === "generated") {
        logger("ingest").warn(escapePlaceholders(`the generated sales of run ${runId} are replaced`));
      }
      const options = await prepare().catch(async (error) => {
        // The record of what must be tried again keeps `run` from generating sales in place of a late export.
        const isLate = exitCodeOf(error) === 75 && !existing;
        if (isLate) await session.stage("ingest", () => Promise.reject(error));
        throw error;
      });
      await session.stage("ingest", (context) => ingest(context, options));
      const next = asTyped(`salesflow run --run-id ${runId}`);
      logger("ingest").info(escapePlaceholders(`next: ${next}`));
    });
  },
});
export default command;
