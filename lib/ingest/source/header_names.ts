/** Column names of an export: comparison, and the columns that a source file requires. No I/O. */
import type { Rule, SourceFile } from "./source_file.ts";

/** Normalizes a name for comparison: lower case, no surrounding blanks or byte order mark, any run of blanks as one space. */
export function normalizeName(name: string): string {
  return name.replace(/[\s\ufeff]+/g, " ").trim().toLowerCase();
}

/** Columns that a rule requires. Texts of a join are not required to be columns. */
function columnsOfRule(rule: Rule): string[] {
  const own = rule.kind === "value"
    ? []
    : rule.kind === "expression"
    ? rule.expression.columns
    : rule.kind === "lookup"
    ? rule.columns
    : rule.kind === "join"
    ? rule.parts.flatMap((part) => "lineWithin" in part ? [part.lineWithin] : [])
    : [rule.column];
  return [...own, ...("default" in rule && rule.default ? columnsOfRule(rule.default) : [])];
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
    for (const name of columnsOfRule(rule)) add(name, column);
  }
  for (const { column } of source.only) add(column, "only");
  if (source.currency?.column !== undefined) add(source.currency.column, "currency");
  if (source.returns) add(source.returns.column, "returns");
  for (const name of source.fillDown?.columns ?? []) add(name, "fill_down");
  if (source.fillDown) add(source.fillDown.within, "fill_down");
  return [...needed.values()];
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
