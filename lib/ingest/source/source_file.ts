/** Source files: how a shop's export becomes sales, as YAML. Parses and checks one. No I/O. */
import { LineCounter, parseDocument, type YAMLError } from "yaml";
import { z } from "zod";
import { UsageError } from "../../console/errors.ts";
import { SALE_COLUMNS } from "../../domain/sale.ts";
import { isEncoding } from "../formats/encoding.ts";
import type { NumberStyle } from "../values/number_text.ts";
import { type Rule, RULE_KEYS, ruleSchema, TARGET_COLUMNS, type TargetColumn, text } from "./rule.ts";
import { describeIssues } from "./schema_mistakes.ts";
import { findUndecided, UNDECIDED } from "./undecided.ts";

/** Lines to keep: those whose column has one of the values, or matches the expression. */
export interface OnlyRule {
  /** Column of the export. */
  column: string;
  /** Values in lower case, or a regular expression. */
  test: { in: readonly string[] } | { matches: RegExp };
  /** Name under which the other lines are counted. */
  name: string;
}

/** How the files are written; what is absent is found out from them. */
export interface FormatRules {
  /** Kind of the files. */
  type?: "csv" | "xlsx" | "jsonl" | "parquet";
  /** Label from the Encoding standard. */
  encoding?: string;
  /** One character. */
  delimiter?: string;
  /** Whether `"` quotes values. */
  quote?: "none" | '"';
  /** Line of the header, from 1. */
  header?: number;
  /** Name or number of the sheet. */
  sheet?: string;
}

/** A checked source file. */
export interface SourceFile {
  /** Path or URL, for messages; lookups and files are relative to it. */
  path: string;
  /** Paths, globs, folders and buckets. */
  files: readonly string[];
  /** Days before as-of that the newest file may be old. */
  newestWithinDays?: number;
  /** How the files are written. */
  format: FormatRules;
  /** Columns that take the value of the line before with the same `within`. */
  fillDown?: { columns: readonly string[]; within: string };
  /** Lines to keep, in order. */
  only: readonly OnlyRule[];
  /** ISO 4217 code of the amounts, and the column that says it. */
  currency?: { code: string; column?: string };
  /** Lines that are returns: values in lower case. */
  returns?: { column: string; in: readonly string[] };
  /** Rules of the columns. */
  columns:
    & { readonly [column in typeof SALE_COLUMNS[number]]: Rule }
    & { readonly [column in TargetColumn]?: Rule };
  /** How numbers are written; as in the data contract by default. */
  numbers?: NumberStyle;
  /** Whether amounts with more than two decimals are rounded. */
  roundAmounts: boolean;
  /** Which of several sales with one id stays. */
  onConflict: "first" | "last";
}

/** Names of exclusions that are not rules of `only`. */
export const BUILT_IN_EXCLUSIONS = ["header", "total", "currency", "return"] as const;

const DELIMITERS: Readonly<Record<string, string>> = {
  ",": ",",
  ";": ";",
  "|": "|",
  tab: "\t",
  "\\t": "\t",
  "\t": "\t",
};

const oneOrMore = z.union(
  [text.transform((each) => [each]), z.array(text).min(1, "it is empty")],
  "it must be a text or a list of texts",
);
const wholeNumber = (min: number) =>
  z.string().regex(/^\d{1,9}$/, "it must be a whole number").transform(Number).refine(
    (value) => value >= min,
    `it must be at least ${min}`,
  );
const comparedValues = z.array(z.string("it must be a text")).min(1, "it is empty").transform((values) =>
  values.map((value) => value.trim().toLowerCase())
);
const currencyCode = z.string().regex(/^[A-Za-z]{3}$/, "it must be a code of three letters, such as RUB")
  .transform((code) => code.toUpperCase());

const encoding = text.refine(isEncoding, "it must be an encoding, such as utf-8 or windows-1251");

const formatSchema = z.strictObject({
  type: z.enum(["csv", "xlsx", "jsonl", "parquet"], "it must be csv, xlsx, jsonl or parquet"),
  encoding,
  delimiter: z.string().transform((value, context) => {
    const delimiter = DELIMITERS[value];
    if (delimiter !== undefined) return delimiter;
    context.addIssue({ code: "custom", message: 'it must be ",", ";", tab or "|"' });
    return z.NEVER;
  }),
  quote: z.enum(["none", '"'], "it must be none or '\"'"),
  header: wholeNumber(1),
  sheet: text,
}).partial();

const onlySchema = z.strictObject({
  column: text,
  in: comparedValues.optional(),
  matches: z.string().transform((source, context) => {
    try {
      return new RegExp(source, "u");
    } catch (error) {
      context.addIssue({ code: "custom", message: (error as Error).message });
      return z.NEVER;
    }
  }).optional(),
  name: z.string().regex(
    /^[\p{L}\p{N}][\p{L}\p{N} _.-]{0,62}$/u,
    "it must consist of letters, digits, _ - . and blanks",
  ).refine(
    (name) => !BUILT_IN_EXCLUSIONS.some((builtIn) => builtIn === name),
    `it must not be ${BUILT_IN_EXCLUSIONS.join(", ")}: those have their own meaning`,
  ).optional(),
}).transform(({ column, in: values, matches, name }, context): OnlyRule => {
  if ((values === undefined) === (matches === undefined)) {
    context.addIssue({ code: "custom", message: "it needs either in or matches" });
    return z.NEVER;
  }
  return { column, name: name ?? column, test: values ? { in: values } : { matches: matches! } };
});

const currencySchema = z.strictObject({
  column: text.optional(),
  is: currencyCode.optional(),
  value: currencyCode.optional(),
})
  .transform(({ column, is, value }, context) => {
    if (value !== undefined && column === undefined && is === undefined) return { code: value };
    if (value === undefined && column !== undefined && is !== undefined) return { code: is, column };
    context.addIssue({ code: "custom", message: "it must be {column: …, is: RUB} or {value: RUB}" });
    return z.NEVER;
  });

const numbersSchema = z.strictObject({
  decimal: z.enum([".", ","], 'it must be "." or ","').default("."),
  thousands: z.string().max(1, "it must be one character").refine(
    (mark) => !/[\d-]/.test(mark),
    "it must be no digit or sign",
  ).default(""),
}).refine(({ decimal, thousands }) => decimal !== thousands, "decimal and thousands must differ");

const columnSchemas = Object.fromEntries(
  TARGET_COLUMNS.map((column) => {
    const schema = ruleSchema(column);
    return [column, SALE_COLUMNS.some((required) => required === column) ? schema : schema.optional()];
  }),
) as
  & { [column in typeof SALE_COLUMNS[number]]: z.ZodType<Rule> }
  & { [column in TargetColumn]: z.ZodType<Rule | undefined> };

const sourceSchema = z.strictObject({
  version: z.literal("1", "it must be 1"),
  files: oneOrMore.default([]),
  newest_within_days: wholeNumber(0).optional(),
  format: formatSchema.default({}),
  fill_down: z.strictObject({ columns: z.array(text).min(1, "it is empty"), within: text }).optional(),
  only: z.array(onlySchema).default([]),
  currency: currencySchema.optional(),
  returns: z.strictObject({ column: text, in: comparedValues }).optional(),
  columns: z.strictObject(columnSchemas),
  numbers: numbersSchema.optional(),
  round_amounts: z.enum(["true", "false"], "it must be true or false").default("false"),
  on_conflict: z.enum(["first", "last"], "it must be first or last").default("first"),
});

/** Keys of the tables below the top, but for the columns. */
const SECTION_KEYS: Readonly<Record<string, readonly string[]>> = {
  format: Object.keys(formatSchema.shape),
  fill_down: ["columns", "within"],
  only: ["column", "in", "matches", "name"],
  currency: ["column", "is", "value"],
  returns: ["column", "in"],
  numbers: ["decimal", "thousands"],
};

/** Returns the keys that there may be at a path. */
function knownKeys(path: readonly PropertyKey[]): readonly string[] {
  const [first, second] = path;
  if (first === undefined) return Object.keys(sourceSchema.shape);
  if (first === "columns") {
    return second === undefined ? TARGET_COLUMNS : path.includes("join") ? ["line_within"] : RULE_KEYS;
  }
  return SECTION_KEYS[String(first)] ?? [];
}

function describeYamlError({ message, linePos }: YAMLError, path: string): string {
  return `${path} line ${linePos?.[0].line ?? 1}: ${message.split(/ at line |\n/)[0]!.replace(/:$/, "")}`;
}

/**
 * Parses a source file.
 *
 * @param path path or URL, for messages
 * @throws {UsageError} with all its mistakes, each with its line
 */
export function parseSourceFile(yaml: string, path: string): SourceFile {
  const lines = new LineCounter();
  // Every scalar is a text: no is not false, 007 not 7, and 1.50 not 1.5.
  const document = parseDocument(yaml, { lineCounter: lines, schema: "failsafe", prettyErrors: true });
  const errors = document.errors.map((error) => describeYamlError(error, path));
  if (errors.length > 0) throw new UsageError(errors, "The file must be YAML.");
  const undecided = findUndecided(document, lines, path);
  if (undecided.length > 0) {
    throw new UsageError(
      undecided,
      `Write what is right in place of ${UNDECIDED}; the comments above it name what there is to choose from.`,
    );
  }
  const parsed = sourceSchema.safeParse(document.toJS() ?? {}, { reportInput: true });
  if (!parsed.success) {
    throw new UsageError(describeIssues(parsed.error.issues, { document, lines, path, knownKeys }));
  }
  const {
    newest_within_days,
    fill_down,
    currency,
    returns,
    numbers,
    round_amounts,
    on_conflict,
    columns,
    ...rest
  } = parsed.data;
  return {
    ...withoutAbsent({
      newestWithinDays: newest_within_days,
      fillDown: fill_down,
      currency,
      returns,
      numbers,
    }),
    path,
    files: rest.files,
    format: withoutAbsent(rest.format),
    only: rest.only,
    columns: withoutAbsent(columns) as SourceFile["columns"],
    roundAmounts: round_amounts === "true",
    onConflict: on_conflict,
  };
}

/** A type without `undefined` as a value of its optional keys. */
type Present<T> = { [Key in keyof T]?: Exclude<T[Key], undefined> };

function withoutAbsent<T extends Record<string, unknown>>(object: T): Present<T> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as Present<T>;
}
