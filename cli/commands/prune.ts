import { z } from "zod";
import { readDatabaseUrls } from "../../lib/connection/database_urls.ts";
import { UsageError } from "../../lib/console/errors.ts";
import { prune } from "../../lib/prune/prune.ts";
import { type AnyCommand, defineCommand } from "../command.ts";
import { openDatabases } from "../databases.ts";
import { formatPrune } from "../format_prune.ts";
import { commonOptions, jsonOption, storeOptions, toggle, wholeNumber } from "../options.ts";
import { openSelectedStore, shouldDrawProgress, startLogging } from "../session.ts";
import { stopSignal } from "../stop_signal.ts";

const DAYS_IN = { d: 1, w: 7 } as const;

const ageSchema = z.string().transform((text, context) => {
  const [, number, unit] = /^([1-9]\d{0,4})([dw])$/.exec(text) ?? [];
  if (number !== undefined) return Number(number) * DAYS_IN[unit as keyof typeof DAYS_IN];
  context.addIssue({ code: "custom", message: "it must be a number of days or weeks, such as 90d or 13w" });
  return z.NEVER;
});

/** `salesflow prune`. */
const command: AnyCommand = defineCommand({
  name: "prune",
  summary: "Remove old runs: folders, records and rejected rows in PostgreSQL, on request import dates",
  description:
    "Also removes staging tables that interrupted stages left. Keeps the runs whose rows the tables hold, the last verified\n" +
    "run, runs on which a command is working, and the newest import date. The age of a run is the time since a command last\n" +
    "worked on it. After an interruption, the same command continues.",
  options: {
    keep: {
      help: "Keep the newest N runs (and, with --import-dates, the newest N import dates)",
      placeholder: "N",
      schema: wholeNumber(1, 100_000).optional(),
      flagOnly: true,
    },
    olderThan: {
      help: "Remove what is older than days or weeks, such as 90d or 13w",
      placeholder: "AGE",
      schema: ageSchema.optional(),
      flagOnly: true,
    },
    importDates: {
      help: "Also remove old import dates from shop.sales_aggregates in ClickHouse",
      schema: toggle,
      flagOnly: true,
    },
    dryRun: { help: "Show what would be removed, and remove nothing", schema: toggle, flagOnly: true },
    ...jsonOption,
    ...storeOptions,
    ...commonOptions,
  },
  databases: true,
  examples: ["salesflow prune --older-than 90d --dry-run", "salesflow prune --keep 12 --import-dates"],
  async run({ keep, olderThan: olderThanDays, importDates, dryRun, json, ...values }) {
    if ((keep === undefined) === (olderThanDays === undefined)) {
      throw new UsageError(["Give either --keep N or --older-than AGE"], "See: salesflow prune --help");
    }
    await startLogging(values);
    const signal = stopSignal("What was removed is gone: run the same command again for the rest.");
    const store = openSelectedStore(values);
    const needs = { postgres: true, clickhouse: true };
    const databases = await openDatabases(
      values.home,
      needs,
      readDatabaseUrls(),
      signal,
      shouldDrawProgress(values),
    );
    try {
      const rule = { keep, olderThanDays };
      const result = await prune({ store, signal, ...databases }, { rule, importDates, dryRun });
      console.log(json ? JSON.stringify(result, null, 2) : formatPrune(result));
    } finally {
      await databases.close();
    }
  },
});
export default command;
