/** Rules of a source file's columns: how each value of a sale is computed. No I/O. */
import { z } from "zod";
import { SALE_COLUMNS } from "../../domain/sale.ts";
import { findFormatMistake } from "../values/date_format.ts";
import { isTimeZone } from "../values/date_text.ts";
import {
  type Expression,
  ExpressionError,
  looksLikeExpression,
  parseExpression,
} from "../values/expression.ts";

/** Columns that a source file may give: those of a sale, and what shop.products shows. */
export const TARGET_COLUMNS = [...SALE_COLUMNS, "product_name", "product_category"] as const;

/** One of {@linkcode TARGET_COLUMNS}. */
export type TargetColumn = typeof TARGET_COLUMNS[number];

/** A part of a joined id: a column's value (or a text, when there is no such column), or the number of a line. */
export type JoinPart = { text: string } | { lineWithin: string };

/** How a value comes to be. Every kind but a constant may have a rule for what to do without a value. */
export type Rule =
  | { kind: "value"; text: string }
  | { kind: "column"; column: string; default?: Rule }
  | { kind: "join"; parts: readonly JoinPart[]; with: string; default?: Rule }
  | { kind: "expression"; expression: Expression; default?: Rule }
  | { kind: "date"; column: string; formats: readonly string[]; timeZone?: string; default?: Rule }
  | { kind: "lookup"; columns: readonly string[]; table: LookupSource; default?: Rule };

/** A table of lookups: in the source file itself, or in a CSV file whose path is relative to it. */
export type LookupSource = { entries: ReadonlyMap<string, string> } | { path: string };

/** A text that is not empty. */
export const text: z.ZodType<string, string> = z.string().trim().min(1, "it is empty");

/** Keys of a rule. */
export const RULE_KEYS: readonly string[] =
  "column columns value join with format formats time_zone lookup default".split(" ");

const joinPartSchema = z.union([
  z.string().transform((part): JoinPart => ({ text: part })),
  z.strictObject({ line_within: text }).transform(({ line_within }): JoinPart => ({
    lineWithin: line_within,
  })),
], "it must be a column, a text, or {line_within: …}");

interface RuleKeys {
  column?: string | undefined;
  columns?: string[] | undefined;
  value?: string | undefined;
  join?: JoinPart[] | undefined;
  with?: string | undefined;
  format?: string | undefined;
  formats?: string[] | undefined;
  time_zone?: string | undefined;
  lookup?: string | Record<string, string> | undefined;
  default?: Rule | undefined;
}

const dateFormat = text.superRefine((format, context) => {
  const mistake = findFormatMistake(format);
  if (mistake) context.addIssue({ code: "custom", message: mistake });
});

/** Adds a mistake to what Zod has found. */
type Complain = (message: string) => void;

function expressionRule(text: string, complain: Complain): Rule | undefined {
  try {
    return { kind: "expression", expression: parseExpression(text) };
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    complain(`${error.message} (character ${error.offset + 1} of ${text})`);
    return undefined;
  }
}

/** Turns the keys of a rule into the rule that they mean. */
function toRule(keys: RuleKeys, target: TargetColumn, complain: Complain): Rule | undefined {
  const { value, join, lookup, column, columns } = keys;
  const fallback = keys.default ? { default: keys.default } : {};
  const main = Object.entries({ value, join, "column or columns": column ?? columns }).filter(([, given]) =>
    given !== undefined
  )
    .map(([name]) => name);
  if (main.length !== 1) {
    complain(
      main.length === 0 ? "it needs a column, a value or join" : `${main.join(" and ")} exclude each other`,
    );
    return undefined;
  }
  const allowed: Record<string, readonly string[]> = {
    value: ["value"],
    join: ["join", "with", "default"],
    "column or columns": ["column", "columns", "lookup", "format", "formats", "time_zone", "default"],
  };
  const odd = Object.entries(keys).find(([key, given]) =>
    given !== undefined && !allowed[main[0]!]!.includes(key)
  );
  if (odd) {
    complain(`${odd[0]} has no meaning beside ${main[0]}`);
    return undefined;
  }
  if (value !== undefined) return { kind: "value", text: value };
  if (join) return { kind: "join", parts: join, with: keys.with ?? "", ...fallback };
  if (column !== undefined && columns !== undefined) {
    complain("column and columns exclude each other");
    return undefined;
  }
  if (lookup !== undefined) {
    const names = columns ?? [column!];
    if (typeof lookup !== "string" && names.length > 1) {
      complain("a lookup of several columns must be a file");
      return undefined;
    }
    if (typeof lookup !== "string") {
      const seen = new Map<string, string>();
      for (const [from, to] of Object.entries(lookup)) {
        const key = from.trim().toLowerCase();
        const above = seen.get(key);
        if (above !== undefined && above.trim().toLowerCase() !== to.trim().toLowerCase()) {
          complain(`the lookup has ${from} twice, with ${above} and with ${to}; case does not count`);
        }
        seen.set(key, above ?? to);
      }
    }
    const table = typeof lookup === "string" ? { path: lookup } : {
      entries: new Map(Object.entries(lookup).map(([from, to]) => [from.trim().toLowerCase(), to.trim()])),
    };
    return { kind: "lookup", columns: names, table, ...fallback };
  }
  if (columns) {
    complain("columns needs a lookup; to put texts together, use join");
    return undefined;
  }
  const formats = [...(keys.format === undefined ? [] : [keys.format]), ...(keys.formats ?? [])];
  if (target === "sale_date") {
    return {
      kind: "date",
      column: column!,
      formats,
      ...(keys.time_zone === undefined ? {} : { timeZone: keys.time_zone }),
      ...fallback,
    };
  }
  if (formats.length > 0 || keys.time_zone !== undefined) {
    complain("format, formats and time_zone are for sale_date");
    return undefined;
  }
  return { kind: "column", column: column!, ...fallback };
}

/** Returns the schema of the rule of a column. */
export function ruleSchema(target: TargetColumn): z.ZodType<Rule> {
  const hasExpressions = target === "quantity" || target === "sale_amount";
  const short = z.string().transform((given, context): Rule => {
    const name = given.trim();
    const complain = (message: string) => context.addIssue({ code: "custom", message });
    if (name === "") complain("it is empty");
    if (hasExpressions && looksLikeExpression(name)) return expressionRule(name, complain) ?? z.NEVER;
    return target === "sale_date"
      ? { kind: "date", column: name, formats: [] }
      : { kind: "column", column: name };
  });
  const long: z.ZodType<Rule> = z.strictObject({
    column: text.optional(),
    columns: z.array(text).min(1, "it is empty").optional(),
    value: z.string().transform((value) => value.trim()).optional(),
    join: z.array(joinPartSchema).min(1, "it is empty").optional(),
    with: z.string().optional(),
    format: dateFormat.optional(),
    formats: z.array(dateFormat).min(1, "it is empty").optional(),
    time_zone: text.refine(isTimeZone, "it must be a zone of the IANA database, such as Europe/Moscow")
      .optional(),
    lookup: z.union([text, z.record(z.string(), z.string())], "it must be a file or a table").optional(),
    get default(): z.ZodOptional<z.ZodType<Rule>> {
      return z.union([
        z.string().transform((value): Rule => ({ kind: "value", text: value.trim() })),
        long,
      ]).optional();
    },
  }).transform((keys, context) =>
    toRule(keys, target, (message) => context.addIssue({ code: "custom", message })) ?? z.NEVER
  );
  return z.union([short, long], "it must be a text or a table of keys");
}
