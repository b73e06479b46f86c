/** Source files: how a shop's export becomes sales, as YAML. Parses and checks one. No I/O. */
import { isMap, isNode, LineCounter, type Node, parseDocument, type YAMLError } from "yaml";
import { z } from "zod";
import { didYouMean } from "../../console/did_you_mean.ts";
import { UsageError } from "../../console/errors.ts";
import { SALE_COLUMNS } from "../../domain/sale.ts";
import { findFormatMistake, isTimeZone } from "../values/date_text.ts";
import {
  type Expression,
  ExpressionError,
  looksLikeExpression,
  parseExpression,
} from "../values/expression.ts";
import type { NumberStyle } from "../values/number_text.ts";

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

const text = z.string().trim().min(1, "it is empty");
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

const encoding = text.refine((label) => {
  try {
    return new TextDecoder(label) !== undefined;
  } catch {
    return false;
  }
}, "it must be an encoding, such as utf-8 or windows-1251");

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

function ruleSchema(target: TargetColumn): z.ZodType<Rule> {
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

const RULE_KEYS = "column columns value join with format formats time_zone lookup default".split(" ");

/** Keys of the tables below the top, but for the columns. */
const SECTION_KEYS: Readonly<Record<string, readonly string[]>> = {
  format: Object.keys(formatSchema.shape),
  fill_down: ["columns", "within"],
  only: ["column", "in", "matches", "name"],
  currency: ["column", "is", "value"],
  returns: ["column", "in"],
  numbers: ["decimal", "thousands"],
};

type Issue = z.core.$ZodIssue;

/** Returns the issues of the branch of a union that the input was meant for: the one whose type fits. */
function flattenIssue(issue: Issue): Issue[] {
  if (issue.code !== "invalid_union") return [issue];
  const branch = issue.errors.find((issues) =>
    issues.some(({ code, path }) => code !== "invalid_type" || path.length > 0)
  );
  if (!branch) return [issue];
  return branch.flatMap((inner) => flattenIssue({ ...inner, path: [...issue.path, ...inner.path] }));
}

/** Returns the keys that there may be at a path. */
function knownKeys(path: readonly PropertyKey[]): readonly string[] {
  const [first, second] = path;
  if (first === undefined) return Object.keys(sourceSchema.shape);
  if (first === "columns") {
    return second === undefined ? TARGET_COLUMNS : path.includes("join") ? ["line_within"] : RULE_KEYS;
  }
  return SECTION_KEYS[String(first)] ?? [];
}

function describeIssue(issue: Issue): string {
  if (issue.code === "unrecognized_keys") {
    const known = knownKeys(issue.path);
    return issue.keys.map((key) =>
      `there is no key ${key}.${didYouMean(key, known) || ` There are: ${known.join(", ")}`}`
    ).join(" ");
  }
  if (issue.input === undefined) return "it is missing";
  if (issue.code !== "invalid_type") return issue.message;
  const kinds: Record<string, string> = {
    string: "a text",
    object: "a table of keys",
    record: "a table of keys",
    array: "a list",
  };
  return `it must be ${kinds[issue.expected] ?? issue.expected}`;
}

/** Returns the line on which a value stands, or its nearest parent. */
function findLine(root: Node | null, path: readonly PropertyKey[], lines: LineCounter): number {
  let node: unknown = root;
  let offset = root?.range?.[0] ?? 0;
  for (const key of path) {
    let next: unknown;
    if (isMap(node)) {
      const pair = node.items.find(({ key: name }) => isNode(name) && String(name) === String(key));
      if (isNode(pair?.key)) offset = pair.key.range?.[0] ?? offset;
      next = pair?.value;
    } else {next = isNode(node) && "get" in node
        ? (node as { get(key: unknown, keep: boolean): unknown }).get(key, true)
        : undefined;}
    if (next === undefined) break;
    if (!isMap(node) && isNode(next)) offset = next.range?.[0] ?? offset;
    node = next;
  }
  return lines.linePos(offset).line;
}

function describeYamlError({ message, linePos }: YAMLError, path: string): string {
  return `${path} line ${linePos?.[0].line ?? 1}: ${message.split(/ at line |\n/)[0]!.replace(/:$/, "")}`;
}

/** Joins the names of a path: `only[1].name`. */
function formatPath(path: readonly PropertyKey[]): string {
  return path.map((key) => typeof key === "number" ? `[${key}]` : `.${String(key)}`).join("").replace(
    /^\./,
    "",
  );
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
  const parsed = sourceSchema.safeParse(document.toJS() ?? {}, { reportInput: true });
  if (!parsed.success) {
    const mistakes = parsed.error.issues.flatMap(flattenIssue).map((issue) => {
      const where = formatPath(issue.path);
      const place = issue.code === "unrecognized_keys" ? [...issue.path, issue.keys[0]!] : issue.path;
      return {
        line: findLine(document.contents, place, lines),
        text: `${where && `${where}: `}${describeIssue(issue)}`,
      };
    });
    mistakes.sort((a, b) => a.line - b.line);
    throw new UsageError(mistakes.map(({ line, text }) => `${path} line ${line}: ${text}`));
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
