/** Turns the rules of a source file into functions of a record's values. No I/O. */
import type { Rule, TargetColumn } from "./rule.ts";
import type { SourceFile } from "./source_file.ts";
import { type HeaderNames, namesOf, withDefaults } from "./header_names.ts";
import { LookupTable } from "./lookup_table.ts";
import { formatRounded, parseQuotient } from "../values/decimal.ts";
import { DateReader } from "../values/date_text.ts";
import { Evaluator } from "../values/evaluator.ts";
import { substituteValues } from "../values/expression.ts";
import { normalizeNumber } from "../values/number_text.ts";

/** A record: its values, and the numbers of its line for each `line_within` of the source file. */
export interface Line {
  /** In the order of the header. */
  values: readonly string[];
  /** In the order of {@linkcode findLineWithins}; counted from 1. */
  numbers: readonly number[];
}

/** Computes the text of a column. */
export type Compute = (line: Line) => string;

/** Returns the columns of `line_within` that a source file has, each once. */
export function findLineWithins(source: SourceFile): string[] {
  const rules = Object.values(source.columns).flatMap(withDefaults);
  return [...new Set(rules.flatMap((rule) => namesOf(rule).lineWithins))];
}

/** What rules need besides a record. */
export interface RuleContext {
  /** The source file. */
  source: SourceFile;
  /** Columns of the export; all that are needed are there. */
  header: HeaderNames;
  /** Tables of lookups in files, by their paths. */
  lookups: ReadonlyMap<string, LookupTable>;
}

/** Uses the default of a rule when the value is empty. */
function orDefault(compute: Compute, fallback: Compute | undefined): Compute {
  return fallback ? (line) => compute(line) || fallback(line) : compute;
}

function indexOf({ header }: RuleContext, name: string): number {
  const index = header.find(name);
  if (index === undefined) throw new Error(`the header has no column ${name}`);
  return index;
}

function compileJoin(rule: Rule & { kind: "join" }, context: RuleContext): Compute {
  const lineWithins = findLineWithins(context.source);
  const parts = rule.parts.map((part): Compute => {
    if ("lineWithin" in part) {
      const number = lineWithins.indexOf(part.lineWithin);
      return ({ numbers }) => String(numbers[number]);
    }
    const index = context.header.find(part.text);
    if (index === undefined) return () => part.text;
    return ({ values }) => values[index]!.trim();
  });
  const indexes = namesOf(rule).texts.flatMap((text) => context.header.find(text) ?? []);
  const join: Compute = (line) => {
    let text = parts[0]!(line);
    for (let index = 1; index < parts.length; index++) text += rule.with + parts[index]!(line);
    return text;
  };
  // A join is empty when all of its columns are.
  return indexes.length === 0 ? join : (line) => {
    for (const index of indexes) if (line.values[index]!.trim() !== "") return join(line);
    return "";
  };
}

function compileExpression(
  rule: Rule & { kind: "expression" },
  target: TargetColumn,
  context: RuleContext,
): Compute {
  const { expression } = rule;
  const evaluator = new Evaluator(expression, context.source.numbers);
  const indexes = expression.columns.map((name) => indexOf(context, name));
  const texts = new Array<string>(indexes.length).fill("");
  const isAmount = target === "sale_amount";
  return ({ values }) => {
    for (let index = 0; index < indexes.length; index++) texts[index] = values[indexes[index]!]!;
    const result = isAmount ? evaluator.amount(texts) : evaluator.number(texts);
    if (result !== undefined) return result;
    // Keeps the inputs as text, so that the rejected row shows why the value cannot be computed.
    return substituteValues(expression, texts.map((text) => text.trim() || "0"));
  };
}

function compileLookup(rule: Rule & { kind: "lookup" }, context: RuleContext): Compute {
  const indexes = rule.columns.map((name) => indexOf(context, name));
  const table = "path" in rule.table
    ? context.lookups.get(rule.table.path)
    : LookupTable.fromEntries(rule.table.entries);
  if (!table) throw new Error("a lookup has not been read");
  const fallback = rule.default && compileRule(rule.default, "region", context);
  return (line) => {
    const values = indexes.map((index) => line.values[index]!.trim());
    return table.find(values) ?? fallback?.(line) ?? values.filter((value) => value !== "").join(", ");
  };
}

/** Compiles a rule. */
function compileRule(rule: Rule, target: TargetColumn, context: RuleContext): Compute {
  if (rule.kind === "value") return () => rule.text;
  if (rule.kind === "lookup") return compileLookup(rule, context);
  const fallback = rule.default && compileRule(rule.default, target, context);
  switch (rule.kind) {
    case "join":
      return orDefault(compileJoin(rule, context), fallback);
    case "expression": {
      const compute = compileExpression(rule, target, context);
      if (!fallback) return compute;
      const indexes = rule.expression.columns.map((name) => indexOf(context, name));
      return (line) =>
        indexes.some((index) => line.values[index]!.trim() !== "") ? compute(line) : fallback(line);
    }
    case "date": {
      const index = indexOf(context, rule.column);
      const reader = new DateReader(rule);
      return orDefault(({ values }) => {
        const text = values[index]!.trim();
        return reader.read(text) ?? text;
      }, fallback);
    }
    case "column": {
      const index = indexOf(context, rule.column);
      const read: Compute = ({ values }) => values[index]!.trim();
      return orDefault(isNumber(target) ? compileNumber(read, target, context.source) : read, fallback);
    }
  }
}

function isNumber(target: TargetColumn): boolean {
  return target === "quantity" || target === "sale_amount";
}

/** Formats the numbers of a column as in the data contract; other text stays unchanged. */
function compileNumber(read: Compute, target: TargetColumn, { numbers, roundAmounts }: SourceFile): Compute {
  const mayRound = target === "sale_amount" && roundAmounts;
  const isPlain = numbers?.decimal === "," ? /^\d{1,15}$/ : /^\d{1,15}(?:\.\d\d?)?$/;
  return (line) => {
    const text = read(line);
    if (isPlain.test(text)) return text;
    const number = normalizeNumber(text, numbers);
    if (number === undefined) return text;
    const decimals = number.includes(".") ? number.length - number.indexOf(".") - 1 : 0;
    return mayRound && decimals > 2 ? formatRounded(parseQuotient(number), 2) : number;
  };
}

/** Compiles the rule of a column; ids are still text. A column without a rule is empty. */
export function compileColumn(target: TargetColumn, context: RuleContext): Compute {
  const rule = context.source.columns[target];
  return rule ? compileRule(rule, target, context) : () => "";
}
