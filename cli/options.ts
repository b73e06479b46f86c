/** Options that several commands share. */
import { resolve } from "node:path";
import { z } from "zod";
import { AS_OF_RANGE, isAsOfDate } from "../lib/domain/dates.ts";
import { RUN_ID } from "../lib/pipeline/records.ts";
import { isUrl, openStore } from "../lib/store/open_store.ts";
import type { Option } from "./command.ts";
import { resolveFromCaller } from "./paths.ts";

/** A whole number inside bounds, both included; underscores may group its digits. */
export function wholeNumber(min: number, max: number) {
  const words = `it must be a whole number from ${min.toLocaleString("en")} to ${max.toLocaleString("en")}`;
  return z.string().transform((text, context) => {
    const value = /^\d[\d_]*$/.test(text) ? Number(text.replaceAll("_", "")) : NaN;
    if (value >= min && value <= max) return value;
    context.addIssue({ code: "custom", message: words });
    return z.NEVER;
  });
}

/** A fraction inside bounds, both included. */
export function fraction(min: number, max: number) {
  return z.string().transform((text, context) => {
    const value = /^(\d+(\.\d*)?|\.\d+)$/.test(text) ? Number(text) : NaN;
    if (value >= min && value <= max) return value;
    context.addIssue({ code: "custom", message: `it must be a number from ${min} to ${max}` });
    return z.NEVER;
  });
}

/** A switch. */
export const toggle = z.boolean().default(false);

/** Options of every command. */
export const commonOptions = {
  logFormat: {
    help: "text or json",
    placeholder: "FORMAT",
    schema: z.enum(["text", "json"], "it must be text or json").optional(),
    defaultText: "text on a terminal, json otherwise",
  },
  quiet: { help: "Log warnings and errors only, and draw no progress", schema: toggle },
} satisfies Record<string, Option>;

/** Where runs and embedded databases live. */
export const storeOptions = {
  home: {
    help: "Folder of the embedded databases",
    placeholder: "FOLDER",
    schema: z.string().min(1, "it must name a folder").transform(resolveFromCaller).default(
      resolve(".salesflow"),
    ),
    defaultText: ".salesflow",
  },
  store: {
    help: "Where runs are kept: a folder, file:///folder or s3://bucket/prefix",
    placeholder: "URL",
    schema: z.string().min(1, "it must name a folder or a bucket")
      .transform((text) => isUrl(text) ? text : resolveFromCaller(text)).optional(),
    check: (store, environment) => {
      if (store !== undefined) openStore(store as string, environment);
    },
    defaultText: "the home folder",
  },
} satisfies Record<string, Option>;

/** Which run. */
export const runOptions = {
  runId: {
    help: "Name of the run",
    placeholder: "ID",
    schema: z.string().regex(
      RUN_ID,
      "it must be 1 to 63 of a-z, 0-9, dot, dash and underscore, begin with a letter or digit, and hold no two dots in a row",
    ).optional(),
    defaultText: "the as-of date",
  },
  asOf: {
    help: "Last day of the year of sales, also the import date: YYYY-MM-DD",
    placeholder: "DATE",
    schema: z.string().refine(
      isAsOfDate,
      `it must be a date that exists, as YYYY-MM-DD, from ${AS_OF_RANGE.from} to ${AS_OF_RANGE.to}`,
    ).optional(),
    defaultText: "that of the run, or today in Europe/Moscow",
  },
} satisfies Record<string, Option>;

/** Threads of the stages that use several. */
export const workersOption = {
  workers: {
    help: "Threads",
    placeholder: "N",
    schema: wholeNumber(1, 256).optional(),
    defaultText: "one for each processor",
  },
} satisfies Record<string, Option>;

/** Options of every stage. */
export const stageOptions = { ...runOptions, ...storeOptions, ...commonOptions };
