/** Options shared by several commands, and schemas of option values. */
import { resolve } from "node:path";
import { z } from "zod";
import { AS_OF_RANGE, isAsOfDate } from "../lib/domain/dates.ts";
import { RUN_ID } from "../lib/pipeline/records.ts";
import { isUrl, openStore } from "../lib/store/open_store.ts";
import type { Option } from "./command.ts";
import { resolveFromCaller } from "./paths.ts";

/** Schema that turns the text of an option into a number. */
export type NumberSchema = z.ZodPipe<z.ZodString, z.ZodTransform<number, string>>;

/** Returns the schema of an integer from `min` to `max`, inclusive; commas may group thousands, underscores any digits. */
export function wholeNumber(min: number, max: number): NumberSchema {
  const message = `it must be a whole number from ${min.toLocaleString("en")} to ${max.toLocaleString("en")}`;
  return z.string().transform((text, context) => {
    const isWhole = /^(\d[\d_]*|\d{1,3}(,\d{3})+)$/.test(text);
    const value = isWhole ? Number(text.replaceAll(/[_,]/g, "")) : NaN;
    if (value >= min && value <= max) return value;
    context.addIssue({ code: "custom", message });
    return z.NEVER;
  });
}

/** Returns the schema of a decimal number from `min` to `max`, inclusive. */
export function fraction(min: number, max: number): NumberSchema {
  return z.string().transform((text, context) => {
    const value = /^(\d+(\.\d*)?|\.\d+)$/.test(text) ? Number(text) : NaN;
    if (value >= min && value <= max) return value;
    context.addIssue({ code: "custom", message: `it must be a number from ${min} to ${max}` });
    return z.NEVER;
  });
}

/** Schema of a switch, off by default. */
export const toggle: z.ZodDefault<z.ZodBoolean> = z.boolean("it must be true or false").default(false);

/** Options of every command. */
export const commonOptions = {
  logFormat: {
    help: "Log format: text or json",
    placeholder: "FORMAT",
    schema: z.enum(["text", "json"], "it must be text or json").optional(),
    defaultText: "text on a terminal, json otherwise",
  },
  quiet: { help: "Log only warnings and errors, and show no progress", schema: toggle },
} satisfies Record<string, Option>;

/** Schema of a path, which begins in the folder of the caller, or a URL. @param message what it must be */
function location(message: string): z.ZodPipe<z.ZodString, z.ZodTransform<string, string>> {
  return z.string().min(1, message).transform((text) => isUrl(text) ? text : resolveFromCaller(text));
}

/** The source file of exports. */
export const sourceOption = {
  source: {
    help: "Source file: a path or s3://bucket/name",
    placeholder: "FILE",
    schema: location("it must name a file").optional(),
  },
} satisfies Record<string, Option>;

/** Locations of runs and of embedded databases. */
export const storeOptions = {
  home: {
    help: "Folder for the embedded databases",
    placeholder: "FOLDER",
    schema: z.string().min(1, "it must name a folder").transform(resolveFromCaller).default(
      resolve(".salesflow"),
    ),
    defaultText: ".salesflow",
  },
  store: {
    help: "Where to store runs: a folder, file:///folder or s3://bucket/prefix",
    placeholder: "FOLDER|URL",
    schema: location("it must name a folder or a bucket").optional(),
    check: (store, environment) => {
      if (store !== undefined) openStore(store as string, environment);
    },
    defaultText: "the home folder",
  },
} satisfies Record<string, Option>;

/** Options that select a run. */
export const runOptions = {
  runId: {
    help: "Name of the run",
    placeholder: "ID",
    schema: z.string().regex(
      RUN_ID,
      "it must be 1 to 63 of a-z, 0-9, dot, dash and underscore, start with a letter or digit, and not contain two dots in a row",
    ).optional(),
    defaultText: "the as-of date",
  },
  asOf: {
    help: "Last day of the year of sales, and the import date: YYYY-MM-DD",
    placeholder: "DATE",
    schema: z.string().refine(
      isAsOfDate,
      `it must be a date that exists, as YYYY-MM-DD, from ${AS_OF_RANGE.from} to ${AS_OF_RANGE.to}`,
    ).optional(),
    defaultText: "the run's, or today in Europe/Moscow",
  },
} satisfies Record<string, Option>;

/** Number of threads, for stages that are parallel. */
export const workersOption = {
  workers: {
    help: "Number of threads",
    placeholder: "N",
    schema: wholeNumber(1, 256).optional(),
    defaultText: "one per processor",
  },
} satisfies Record<string, Option>;

/** Results for other programs. */
export const jsonOption = {
  json: {
    help: "Print the result as JSON, for other programs (docs/json.md)",
    schema: toggle,
    flagOnly: true,
  },
} satisfies Record<string, Option>;

/** Options of every stage. */
export const stageOptions: typeof runOptions & typeof storeOptions & typeof commonOptions = {
  ...runOptions,
  ...storeOptions,
  ...commonOptions,
};
