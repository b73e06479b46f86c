/**
 * The rules for one raw row, as docs/data_contract.md states them: splitting, conversion, and the first reason to refuse. No I/O.
 * Written for clarity; canonical_scanner.ts recognises, faster, the rows that need no conversion at all.
 */
import { type Reason, REGIONS } from "../domain/sale.ts";

/** A row that passed; `day` is year × 416 + month × 32 + day of month, which sorts like the calendar. */
export interface ConvertedRow {
  saleId: bigint;
  customerId: bigint;
  productId: number;
  quantity: number;
  day: number;
  amountCents: number;
  /** Index in REGIONS. */
  region: number;
}

/** Accepted days, both included, as in {@linkcode ConvertedRow}; every day when undefined. */
export type DayRange = { from: number; to: number } | undefined;

/** Longest line that is read, in bytes without the line end. */
export const LONGEST_LINE_BYTES = 65_536;

const FIELDS = 7;
const BIGINT_MAX = 9_223_372_036_854_775_807n;
const INTEGER_MAX = 2_147_483_647;
/** numeric(14,2) */
const AMOUNT_MAX_CENTS = 99_999_999_999_999;

const BLANKS = "[ \\t\\u00a0\\u202f]";
const AMOUNT = new RegExp(
  `^(₽${BLANKS}*)?(\\d+|\\d{1,3}(?:${BLANKS}\\d{3})+)(?:[.,](\\d{1,2}))?(${BLANKS}*(?:RUB|₽))?$`,
);
const BLANK = new RegExp(BLANKS, "g");
const ISO = /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2}):(\d{2}))?$/;
const DOTTED = /^(\d{2})\.(\d{2})\.(\d{4})$/;
const SLASHED = /^(\d{4})\/(\d{2})\/(\d{2})$/;
const MONTH_DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

const REGION_NAMES = new Map(
  [["north", "n", "север"], ["south", "s", "юг"], ["east", "e", "восток"], ["west", "w", "запад"]]
    .flatMap((names, region) => names.map((name) => [name, region] as const)),
);

function isBlankCode(code: number): boolean {
  return code === 0x20 || code === 0x09 || code === 0xa0 || code === 0x202f;
}

/** A value without the blanks around it. By hand: a pattern would try every blank of a long run inside the value as the first of the last. */
export function trim(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlankCode(text.charCodeAt(start))) start++;
  while (end > start && isBlankCode(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

/** `YYYY-MM-DD` as in {@linkcode ConvertedRow}. */
export function dayKey(isoDate: string): number {
  const [year, month, day] = isoDate.split("-").map(Number);
  return year! * 416 + month! * 32 + day!;
}

/** Whether that day exists; years 1 … 9999. */
export function dayExists(year: number, month: number, day: number): boolean {
  if (year < 1 || month < 1 || month > 12 || day < 1) return false;
  const leap = month === 2 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return day <= MONTH_DAYS[month - 1]! + (leap ? 1 : 0);
}

/** The seven values of a line, without surrounding blanks; undefined when the line is malformed. */
export function splitLine(line: string): string[] | undefined {
  const fields = line.includes('"') ? splitQuoted(line) : line.split(",");
  if (fields?.length !== FIELDS) return undefined;
  return fields.map(trim);
}

function splitQuoted(line: string): string[] | undefined {
  // Between quotes, text is alternately outside and inside; only commas outside separate fields.
  const segments = line.split('"');
  if (segments.length % 2 === 0) return undefined;
  const fields: string[] = [];
  let field = "";
  segments.forEach((segment, index) => {
    if (index > 0) field += '"';
    const pieces = index % 2 === 1 ? [segment] : segment.split(",");
    for (const piece of pieces.slice(0, -1)) {
      fields.push(field + piece);
      field = "";
    }
    field += pieces.at(-1)!;
  });
  fields.push(field);
  if (fields.length !== FIELDS) return undefined;
  const values: string[] = [];
  for (const field of fields) {
    const value = field.includes('"') ? unquote(trim(field)) : field;
    if (value === undefined) return undefined;
    values.push(value);
  }
  return values;
}

function unquote(field: string): string | undefined {
  if (field.length < 2 || !field.startsWith('"') || !field.endsWith('"')) return undefined;
  const inner = field.slice(1, -1);
  if (inner.replaceAll('""', "").includes('"')) return undefined;
  return inner.replaceAll('""', '"');
}

function identifier(text: string, max: bigint): bigint | undefined {
  if (!/^\d+$/.test(text)) return undefined;
  const digits = text.replace(/^0+/, "");
  if (digits === "" || digits.length > 19) return undefined;
  const value = BigInt(digits);
  return value <= max ? value : undefined;
}

function amount(text: string): number | undefined {
  const found = AMOUNT.exec(text);
  if (!found || (found[1] && found[4])) return undefined;
  const digits = found[2]!.replace(BLANK, "").replace(/^0+/, "");
  if (digits.length > 12) return undefined;
  const cents = Number(digits + (found[3] ?? "").padEnd(2, "0"));
  return cents > 0 && cents <= AMOUNT_MAX_CENTS ? cents : undefined;
}

function date(text: string): number | undefined {
  const iso = ISO.exec(text) ?? SLASHED.exec(text);
  const dotted = iso ? null : DOTTED.exec(text);
  const [year, month, day] = iso ? [iso[1], iso[2], iso[3]] : dotted ? [dotted[3], dotted[2], dotted[1]] : [];
  if (!year || !dayExists(Number(year), Number(month), Number(day))) return undefined;
  if (iso?.[4] && (Number(iso[4]) > 23 || Number(iso[5]) > 59 || Number(iso[6]) > 59)) return undefined;
  return Number(year) * 416 + Number(month) * 32 + Number(day);
}

/** The row that seven values mean, or the first reason to refuse it. */
export function convert(values: readonly string[], range: DayRange): ConvertedRow | Reason {
  if (values.includes("")) return "missing_value";
  const saleId = identifier(values[0]!, BIGINT_MAX);
  if (saleId === undefined) return "invalid_sale_id";
  const customerId = identifier(values[1]!, BIGINT_MAX);
  if (customerId === undefined) return "invalid_customer_id";
  const productId = identifier(values[2]!, BigInt(INTEGER_MAX));
  if (productId === undefined) return "invalid_product_id";
  const quantity = identifier(values[3]!.replace(/^(\d+)\.0+$/, "$1"), BigInt(INTEGER_MAX));
  if (quantity === undefined) return "invalid_quantity";
  const amountCents = amount(values[5]!);
  if (amountCents === undefined) return "invalid_amount";
  const day = date(values[4]!);
  if (day === undefined) return "invalid_date";
  if (range && (day < range.from || day > range.to)) return "date_out_of_range";
  const region = REGION_NAMES.get(values[6]!.toLowerCase());
  if (region === undefined) return "unknown_region";
  return {
    saleId,
    customerId,
    productId: Number(productId),
    quantity: Number(quantity),
    day,
    amountCents,
    region,
  };
}

/** The canonical line of a row, without line end. */
export function canonicalLine(
  { saleId, customerId, productId, quantity, day, amountCents, region }: ConvertedRow,
): string {
  const year = String(Math.floor(day / 416)).padStart(4, "0");
  const month = String(Math.floor(day % 416 / 32)).padStart(2, "0");
  const date = `${year}-${month}-${String(day % 32).padStart(2, "0")}`;
  const digits = String(amountCents).padStart(3, "0");
  const money = `${digits.slice(0, -2)}.${digits.slice(-2)}`;
  return `${saleId},${customerId},${productId},${quantity},${date},${money},${REGIONS[region]}`;
}
