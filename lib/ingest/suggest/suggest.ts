/** Writes a first source file for an export: what its names and values show, with the evidence as comments. No I/O. */
import { regionIndex } from "../../domain/regions.ts";
import type { NumberStyle } from "../values/number_text.ts";
import { assignRoles, type Column, countValues, groupBy, type Roles } from "./roles.ts";
import { DECIDE } from "../source/source_file.ts";
import type { Sample } from "./sample.ts";
import { findDateStyle, findNumberStyle, toNumber } from "./values.ts";
import { isDone, isReturnDocument, type Role } from "./vocabulary.ts";

/** Values of a region column that are listed. */
const MAX_LISTED = 200;
/** Share of values, in hundredths, that makes a rule. */
const MOST = 90;

/** Writes a text as YAML. */
export function toYaml(text: string): string {
  return /^[\p{L}_][\p{L}\p{N}_./ -]*$/u.test(text) && text.trim() === text && !text.includes(": ") &&
      !text.includes(" #")
    ? text
    : JSON.stringify(text);
}

function inExpression(name: string): string {
  return `[${name.replaceAll("]", "]]")}]`;
}

function share(part: number, whole: number): string {
  return `${part} of ${whole}`;
}

/** How the lines of the export become sales. */
interface SaleIds {
  yaml: string;
  evidence: string;
  /** Indexes of the lines of each order; undefined when a line is a sale by itself. */
  orders: Map<string, number[]> | undefined;
  onConflict: boolean;
}

function findSaleIds(roles: Roles, records: Sample["records"]): SaleIds | undefined {
  const column = roles.get("line_id") ?? roles.get("order");
  if (!column) return undefined;
  const groups = groupBy(column);
  const repeated = [...groups.values()].filter((lines) => lines.length > 1);
  const product = roles.get("product_id") ?? roles.get("product_name");
  const isText = (a: number, b: number) => records[a]!.join("\0") === records[b]!.join("\0");
  const hasProducts = repeated.some((lines) => new Set(lines.map((line) => product?.values[line])).size > 1);
  if (hasProducts) {
    const name = toYaml(column.name);
    return {
      yaml: `{join: [${name}, {line_within: ${name}}], with: "-"}`,
      evidence: `${column.name} repeats with other products (${
        share(repeated.length, groups.size)
      }): an order has several lines`,
      orders: groups,
      onConflict: false,
    };
  }
  const isCorrected = repeated.some((lines) => lines.some((line) => !isText(line, lines[0]!)));
  return {
    yaml: toYaml(column.name),
    evidence: repeated.length === 0
      ? `all ${groups.size} values differ`
      : `${share(repeated.length, groups.size)} values repeat, ${
        isCorrected ? "with other values: later lines correct" : "with equal lines, which are duplicates"
      }`,
    orders: undefined,
    onConflict: isCorrected,
  };
}

/** Returns the columns that only the first line of an order has. */
function findFillDown(
  orders: Map<string, number[]> | undefined,
  columns: readonly (Column | undefined)[],
): string[] {
  if (!orders) return [];
  const several = [...orders.values()].filter((lines) => lines.length > 1);
  return columns.flatMap((column) => {
    if (!column) return [];
    const filled = several.filter(([first, ...others]) =>
      column.values[first!] !== "" && others.every((line) => column.values[line] === "")
    );
    const odd = several.some(([first, ...others]) =>
      column.values[first!] === "" && others.some((line) => column.values[line] !== "")
    );
    return filled.length > 0 && !odd ? [column.name] : [];
  });
}

function findAmount(
  roles: Roles,
  style: NumberStyle | undefined,
): { yaml: string; evidence: string } | undefined {
  const [price, quantity, discount, total] = (["price", "quantity", "discount", "total"] as const).map((
    role,
  ) => roles.get(role));
  const present = total?.values.filter((value) => value !== "").length ?? 0;
  const isOfLine = total !== undefined && present * 100 >= total.values.length * MOST;
  if (price && quantity) {
    const computed = price.values.map((text, line) => {
      const [a, b] = [toNumber(text, style), toNumber(quantity.values[line]!, style)];
      const less = discount ? toNumber(discount.values[line]!, style) ?? 0 : 0;
      return a === undefined || b === undefined ? undefined : a * b - less;
    });
    const equal = computed.filter((value, line) => {
      const other = total ? toNumber(total.values[line]!, style) : undefined;
      return value !== undefined && other !== undefined && Math.abs(value - other) < 0.01;
    }).length;
    if (total && isOfLine && equal * 100 >= present * MOST) {
      return {
        yaml: toYaml(total.name),
        evidence: `${total.name} is price × quantity${discount ? " − discount" : ""} in ${
          share(equal, present)
        } lines`,
      };
    }
    const formula = `${inExpression(price.name)} * ${inExpression(quantity.name)}${
      discount ? ` - ${inExpression(discount.name)}` : ""
    }`;
    const why = total
      ? `${total.name} is not that of a line: it equals this in ${share(equal, total.values.length)}`
      : "there is no total of a line";
    return { yaml: JSON.stringify(formula), evidence: why };
  }
  return total ? { yaml: toYaml(total.name), evidence: "there is no price of a unit" } : undefined;
}

function describeCounts(counts: readonly [string, number][], most = 8): string {
  const named = counts.slice(0, most).map(([value, count]) => `${value} ${count}`);
  return named.join(", ") + (counts.length > most ? `, and ${counts.length - most} more` : "");
}

/** The lines of a source file. */
class Lines {
  readonly #lines: string[] = [];

  /** Adds a comment; what comes from the export stays on one line. */
  comment(text: string, indent = ""): void {
    this.#lines.push(`${indent}# ${text.replaceAll(/\s+/g, " ")}`);
  }

  add(line: string): void {
    this.#lines.push(line);
  }

  toString(): string {
    return this.#lines.join("\n") + "\n";
  }
}

function addRegion(lines: Lines, region: Column | undefined): void {
  if (!region) {
    lines.comment(
      `DECIDE: no column looks like a region, a country or a town: {value: North}, or a column`,
      "  ",
    );
    lines.add(`  region: ${DECIDE}`);
    return;
  }
  const counts = countValues(region.values);
  const all = counts.reduce((sum, [, count]) => sum + count, 0);
  const known = counts.filter(([value]) => regionIndex(value) !== undefined).reduce(
    (sum, [, count]) => sum + count,
    0,
  );
  if (known * 100 >= all * MOST) {
    lines.comment(`${share(known, all)} values are regions`, "  ");
    lines.add(`  region: ${toYaml(region.name)}`);
    return;
  }
  lines.comment(
    `DECIDE: which region each of these is in, North, South, East or West; the counts are lines`,
    "  ",
  );
  lines.add("  region:");
  lines.add(`    column: ${toYaml(region.name)}`);
  lines.add("    lookup:");
  for (const [value, count] of counts.slice(0, MAX_LISTED)) {
    lines.add(`      ${JSON.stringify(value)}: ${DECIDE} # ${count}`);
  }
  if (counts.length > MAX_LISTED) {
    lines.comment(`DECIDE: the region of ${counts.length - MAX_LISTED} more`, "    ");
    lines.add(`    default: ${DECIDE}`);
  }
}

/** Keeps the lines of sales and of returns in a column that says what each line is. */
function addDocuments(lines: Lines, document: Column | undefined): void {
  if (!document) return;
  const values = countValues(document.values);
  const names = values.map(([value]) => value);
  const returns = names.filter(isReturnDocument);
  const done = names.filter(isDone);
  if (done.length > 0 && done.length + returns.length < names.length) {
    lines.comment(`CHECK: other lines are left out; ${document.name} is ${describeCounts(values)}`);
    lines.add("only:");
    lines.add(
      `  - {column: ${toYaml(document.name)}, in: [${
        [...done, ...returns].map(toYaml).join(", ")
      }], name: no_sale}`,
    );
  }
  if (returns.length > 0) {
    lines.add(`returns: {column: ${toYaml(document.name)}, in: [${returns.map(toYaml).join(", ")}]}`);
  }
}

function addOnly(lines: Lines, status: Column | undefined): void {
  if (!status) return;
  const counts = countValues(status.values);
  const done = counts.filter(([value]) => isDone(value)).map(([value]) => value);
  if (done.length === 0) {
    lines.comment(`CHECK: ${status.name} may say which lines are sales: ${describeCounts(counts)}`);
    return;
  }
  lines.comment(`CHECK: other lines are left out; ${status.name} is ${describeCounts(counts)}`);
  const name = /pay|paid|financial|оплат/i.test(status.name + done.join()) ? "unpaid" : "not_delivered";
  lines.add("only:");
  lines.add(`  - {column: ${toYaml(status.name)}, in: [${done.map(toYaml).join(", ")}], name: ${name}}`);
}

function addColumn(lines: Lines, target: string, yaml: string | undefined, evidence: string): void {
  lines.comment(yaml === undefined ? `DECIDE: ${evidence}` : evidence, "  ");
  lines.add(`  ${target}: ${yaml ?? DECIDE}`);
}

/**
 * Returns a source file. What it cannot know has the mark DECIDE; what it guesses, a comment that begins with CHECK.
 *
 * @param files as they are to be named in it
 */
export function suggestSource(sample: Sample, files: readonly string[]): string {
  const { format, names, records, isWhole } = sample;
  const roles = assignRoles(sample);
  const get = (role: Role) => roles.get(role);
  const style = findNumberStyle(
    (["quantity", "price", "discount", "total"] as const).flatMap((role) =>
      get(role)?.values.filter((value) => value !== "") ?? []
    ),
  );
  const saleIds = findSaleIds(roles, records);
  const lines = new Lines();
  lines.comment(
    `A first source file, by ${isWhole ? "all" : "the first"} ${records.length} records of ${
      files.join(", ")
    }.`,
  );
  lines.comment(
    "Decide what is marked DECIDE, look at what is marked CHECK, then: salesflow source preview --source this.yaml",
  );
  lines.comment(`Columns: ${names.join(", ")}`);
  lines.add("version: 1");
  lines.add(`files: [${files.map(toYaml).join(", ")}]`);
  const said = Object.entries(format);
  if (said.length > 0) {
    lines.add(`format: {${said.map(([key, value]) => `${key}: ${toYaml(String(value))}`).join(", ")}}`);
  }
  if (style) {
    lines.add(
      `numbers: {decimal: "${style.decimal}"${style.thousands ? `, thousands: "${style.thousands}"` : ""}}`,
    );
  }
  const order = get("line_id") ?? get("order");
  const filled = findFillDown(saleIds?.orders, [
    get("status"),
    get("currency"),
    get("region"),
    get("customer"),
    get("date"),
    get("document"),
  ]);
  if (filled.length > 0) {
    lines.comment("only the first line of an order has these");
    lines.add(`fill_down: {columns: [${filled.map(toYaml).join(", ")}], within: ${toYaml(order!.name)}}`);
  }
  if (get("status")) addOnly(lines, get("status"));
  else addDocuments(lines, get("document"));
  const currency = get("currency");
  const currencies = countValues(currency?.values ?? []).filter(([value]) => /^[A-Za-z]{3}$/.test(value));
  if (currencies.length > 0) {
    if (currencies.length > 1) {
      lines.comment(`CHECK: others are left out; ${currency!.name} is ${describeCounts(currencies)}`);
    }
    lines.add(`currency: {column: ${toYaml(currency!.name)}, is: ${currencies[0]![0].toUpperCase()}}`);
  } else lines.comment("CHECK: no column says the currency; unless it is RUB, say currency: {value: …}");
  if (saleIds?.onConflict) lines.add("on_conflict: last");

  lines.add("columns:");
  addColumn(
    lines,
    "sale_id",
    saleIds?.yaml,
    saleIds?.evidence ?? "no column looks like the number of an order or a sale",
  );
  addCustomer(lines, get("customer"));
  const product = get("product_id") ?? get("product_name");
  addColumn(
    lines,
    "product_id",
    product && toYaml(product.name),
    product ? `${countValues(product.values).length} different ones` : "no column looks like a product",
  );
  const quantity = get("quantity");
  addColumn(
    lines,
    "quantity",
    quantity ? toYaml(quantity.name) : '{value: "1"}',
    quantity ? "a number in each line" : "CHECK: no column looks like a quantity: each line is one piece",
  );
  addDate(lines, get("date"));
  const amount = findAmount(roles, style);
  addColumn(
    lines,
    "sale_amount",
    amount?.yaml,
    amount?.evidence ?? "no column looks like an amount or a price",
  );
  addRegion(lines, get("region"));
  for (
    const [target, role] of [["product_name", "product_name"], [
      "product_category",
      "product_category",
    ]] as const
  ) {
    const column = get(role);
    if (column && column !== product) lines.add(`  ${target}: ${toYaml(column.name)}`);
  }
  return lines.toString();
}

function addCustomer(lines: Lines, customer: Column | undefined): void {
  if (!customer) {
    lines.comment("CHECK: no column looks like a customer: all sales are of one", "  ");
    lines.add('  customer_id: {value: "1"}');
    return;
  }
  const name = toYaml(customer.name);
  const without = share(customer.values.filter((value) => value === "").length, customer.values.length);
  const withGuests = `{column: ${name}, default: guest}`;
  if (!customer.values.includes("")) addColumn(lines, "customer_id", name, "every line has one");
  // The counterparty of a document must be there; a shop has customers without an account.
  else if (/клиент|контрагент/i.test(customer.name)) {
    addColumn(
      lines,
      "customer_id",
      name,
      `CHECK: ${without} lines have none and are rejected; ${withGuests} keeps them`,
    );
  } else {addColumn(
      lines,
      "customer_id",
      withGuests,
      `CHECK: ${without} lines have none, and become sales to one guest`,
    );}
}

function addDate(lines: Lines, date: Column | undefined): void {
  const texts = date?.values.filter((value) => value !== "") ?? [];
  const style = findDateStyle(texts);
  if (!date || !style) {
    addColumn(
      lines,
      "sale_date",
      undefined,
      date
        ? `${date.name} is written in a way that is not known: {column: ${toYaml(date.name)}, format: "…"}`
        : "no column looks like a date",
    );
    return;
  }
  const { formats, fitting, alternative } = style;
  const fits = `${share(fitting, texts.length)} values fit`;
  const yaml = formats.length === 0
    ? toYaml(date.name)
    : `{column: ${toYaml(date.name)}, ${
      formats.length === 1
        ? `format: ${JSON.stringify(formats[0])}`
        : `formats: [${formats.map((each) => JSON.stringify(each)).join(", ")}]`
    }}`;
  addColumn(lines, "sale_date", yaml, alternative ? `CHECK: ${fits}, and so does ${alternative}` : fits);
}
