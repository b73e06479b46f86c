/** Gives the columns of an export their roles, by names and values. No I/O. */
import type { Sample } from "./sample.ts";
import { fitOf, type Role, ROLES } from "./vocabulary.ts";

/** A column with a role. */
export interface Column {
  /** Name in the export. */
  name: string;
  /** Values of all records, trimmed. */
  values: readonly string[];
}

/** Columns by role. */
export type Roles = ReadonlyMap<Role, Column>;

/** Roles of which most values are numbers. */
const NUMERIC: readonly Role[] = ["quantity", "price", "discount", "total"];

function fitsValues(role: Role, values: readonly string[]): boolean {
  const present = values.filter((value) => value !== "");
  if (present.length === 0) return false;
  if (NUMERIC.includes(role)) return present.filter((value) => /\d/.test(value)).length * 2 > present.length;
  // A column that is only called Name has the numbers of orders, as Shopify's, or names of something else.
  if (role === "order") return present.filter((value) => /\d/.test(value)).length * 2 > present.length;
  return true;
}

/** Gives each role the column whose name fits it best; no column has two. */
export function assignRoles({ names, records }: Pick<Sample, "names" | "records">): Roles {
  const columns = names.map((name, index): Column => ({
    name,
    values: records.map((record) => (record[index] ?? "").trim()),
  }));
  const taken = new Set<Column>();
  const roles = new Map<Role, Column>();
  for (const role of ROLES) {
    const fitting = columns.filter((column) =>
      !taken.has(column) && fitOf(role, column.name) > 0 && fitsValues(role, column.values)
    );
    const best = fitting.toSorted((a, b) => fitOf(role, b.name) - fitOf(role, a.name))[0];
    if (!best) continue;
    roles.set(role, best);
    taken.add(best);
  }
  return roles;
}

/** Counts the values that are not empty, the most frequent first; compared without case. */
export function countValues(values: readonly string[]): [value: string, count: number][] {
  const counts = new Map<string, { value: string; count: number }>();
  for (const value of values) {
    if (value === "") continue;
    const key = value.toLowerCase();
    const known = counts.get(key);
    if (known) known.count++;
    else counts.set(key, { value, count: 1 });
  }
  return [...counts.values()].sort((a, b) => b.count - a.count).map(({ value, count }) => [value, count]);
}

/** Groups the indexes of records by the value of a column; empty values are left out. */
export function groupBy({ values }: Column): Map<string, number[]> {
  const groups = new Map<string, number[]>();
  values.forEach((value, index) => {
    if (value === "") return;
    const group = groups.get(value);
    if (group) group.push(index);
    else groups.set(value, [index]);
  });
  return groups;
}
