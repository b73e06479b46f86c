/** Column names of an export: comparison, and the columns that a source file requires. No I/O. */
import type { Rule } from "./rule.ts";
import type { SourceFile } from "./source_file.ts";

/** Normalizes a name for comparison: lower case, no surrounding blanks or byte order mark, any run of blanks as one space. */
export function normalizeName(name: string): string {
  return name.replace(/[\s\ufeff]+/g, " ").trim().toLowerCase();
}

/** Names in a rule, without those of its default. */
export interface RuleNames {
  /** Columns. */
  columns: readonly string[];
  /** Texts of a join, each of which may be a column. */
  texts: readonly string[];
  /** Columns of `line_within`. */
  lineWithins: readonly string[];
}

/** Returns the names in a rule, without those of its default. */
export function namesOf(rule: Rule): RuleNames {
  const none = { columns: [], texts: [], lineWithins: [] };
  switch (rule.kind) {
    case "value":
      return none;
    case "join":
      return {
        columns: [],
        texts: rule.parts.flatMap((part) => "text" in part ? [part.text] : []),
        lineWithins: rule.parts.flatMap((part) => "lineWithin" in part ? [part.lineWithin] : []),
      };
    case "expression":
      return { ...none, columns: rule.expression.columns };
    case "lookup":
      return { ...none, columns: rule.columns };
    default:
      return { ...none, columns: [rule.column] };
  }
}

/** Returns a rule, its default, the default's default, and so on. */
export function withDefaults(rule: Rule): Rule[] {
  return [rule, ...("default" in rule && rule.default ? withDefaults(rule.default) : [])];
}

/** A column that a source file requires. */
export interface NeededColumn {
  /** As the source file writes it. */
  name: string;
  /** What it is for: `sale_id`, `only`, …. */
  use: string;
}

/** Returns the columns that a source file requires, each once. */
export function neededColumns(source: SourceFile): NeededColumn[] {
  const needed = new Map<string, NeededColumn>();
  const add = (name: string, use: string) => {
    const key = normalizeName(name);
    if (!needed.has(key)) needed.set(key, { name, use });
  };
  for (const [column, rule] of Object.entries(source.columns)) {
    for (const { columns, lineWithins } of withDefaults(rule).map(namesOf)) {
      for (const name of [...columns, ...lineWithins]) add(name, column);
    }
  }
  for (const { column } of source.only) add(column, "only");
  if (source.currency?.column !== undefined) add(source.currency.column, "currency");
  if (source.returns) add(source.returns.column, "returns");
  for (const name of source.fillDown?.columns ?? []) add(name, "fill_down");
  if (source.fillDown) add(source.fillDown.within, "fill_down");
  return [...needed.values()];
}

/** Returns the texts of joins, each of which may be a column. */
export function joinTexts(source: SourceFile): string[] {
  return Object.values(source.columns).flatMap(withDefaults).flatMap((rule) => [...namesOf(rule).texts]);
}

/** Where the columns of an export are. */
export class HeaderNames {
  readonly #indexes = new Map<string, number>();
  readonly #twice = new Set<string>();

  /** Creates the index of a header. */
  constructor(readonly names: readonly string[]) {
    names.map(normalizeName).forEach((name, index) => {
      if (this.#indexes.has(name)) this.#twice.add(name);
      else this.#indexes.set(name, index);
    });
  }

  /** Returns the index of a column; undefined when there is none. */
  find(name: string): number | undefined {
    return this.#indexes.get(normalizeName(name));
  }

  /** Returns what is wrong with needed columns, as parts of a sentence: those that are missing or occur twice. */
  findMistakes(needed: readonly NeededColumn[]): string[] {
    return needed.flatMap(({ name, use }) => {
      const suffix = normalizeName(name) === use ? "" : ` (for ${use})`;
      if (this.find(name) === undefined) return [`there is no column ${name}${suffix}`];
      return this.#twice.has(normalizeName(name)) ? [`the column ${name}${suffix} occurs twice`] : [];
    });
  }
}
