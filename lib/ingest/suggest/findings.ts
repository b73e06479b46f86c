/** What the rules of a suggested source file are made of. No I/O. */
import { type Column, isTotalRow, looksNumeric, shareOf, toColumns } from "./column_stats.ts";
import { normalizeName } from "../source/header_names.ts";
import { findNumberStyle, type FoundStyle } from "./number_style.ts";
import { type Candidate, pickColumns, type Picked } from "./pick_columns.ts";
import type { Sample } from "./sample.ts";
import { UNDECIDED } from "../source/undecided.ts";
import type { Role } from "./vocabulary.ts";

/** A rule of a source file as text. */
export interface SuggestedRule {
  /** Lines above it, without `#`. */
  comments: string[];
  /** YAML of its value: on the key's line, or lines below it. */
  value: string | string[];
  /** Columns that it names. */
  uses: readonly Column[];
}

/** What is known of an export. */
export interface Findings {
  /** What was seen. */
  sample: Sample;
  /** Records that are no totals. */
  rows: readonly (readonly string[])[];
  /** Number of records that are totals. */
  totals: number;
  /** Columns with a name. */
  columns: readonly Column[];
  /** How numbers are written. */
  numbers: FoundStyle;
  /** Returns the columns that may have a role, the best first. */
  all(role: Role): readonly Candidate[];
  /** Returns the best column for a role; undefined when none fits. */
  best(role: Role): Candidate | undefined;
}

/** Finds out what the columns of a sample are. @param only the records to look at; all that are no totals by default */
export function examine(sample: Sample, only?: readonly (readonly string[])[]): Findings {
  const records = withoutHeaders(sample);
  const sales = records.filter((row) => !isTotalRow(row));
  const rows = only ?? sales;
  const columns = toColumns(sample.names, rows);
  const picked: Picked = pickColumns(columns);
  const all = (role: Role) => picked.get(role) ?? [];
  const numeric = (["quantity", "price", "amount", "discount"] as const).flatMap((role) => all(role));
  const values = numeric.flatMap(({ filled }) => filled.filter(looksNumeric));
  return {
    sample,
    rows,
    totals: records.length - sales.length,
    columns,
    numbers: findNumberStyle(values, all("quantity")[0]?.filled),
    all,
    best: (role) => all(role)[0],
  };
}

/** Returns the records without repeated headers; below one in another order, with their values in the order of the first. */
function withoutHeaders({ names, rows }: Sample): (readonly string[])[] {
  const first = names.map(normalizeName);
  const sorted = first.toSorted().join("\0");
  let order: number[] | undefined;
  return rows.flatMap((row) => {
    if (first.includes(normalizeName(row[0]!)) && row.map(normalizeName).toSorted().join("\0") === sorted) {
      const again = row.map(normalizeName);
      order = first.map((name) => again.indexOf(name));
      return [];
    }
    return [order ? order.map((index) => row[index]!) : row];
  });
}

/** Returns how many records have a value in a column, in words. */
export function describeFilled({ filled, rows }: Column): string {
  return `${filled.length} of ${rows} filled`;
}

/** Names columns with how full they are, for a person who must choose. */
export function describeCandidates(columns: readonly Column[]): string {
  const some = columns.slice(0, 8).map((column) => {
    const example = column.filled[0];
    return `${column.name} (${describeFilled(column)}${
      example === undefined ? "" : `, such as ${example.slice(0, 40)}`
    })`;
  });
  return some.length > 0 ? some.join("; ") : "none";
}

/** Returns a rule that a person must write. */
export function undecided(question: string, candidates: readonly Column[]): SuggestedRule {
  return {
    comments: [`DECIDE: ${question} Candidates: ${describeCandidates(candidates)}`],
    value: UNDECIDED,
    uses: [],
  };
}

/** Columns of numbers, of the values of which most are numbers. */
export function numericColumns(columns: readonly Column[]): Column[] {
  return columns.filter(({ filled }) => shareOf(filled, looksNumeric) >= 0.8);
}
