/**
 * Row rules of docs/data_contract.md: splits a raw line, converts its values, and names the first reason to reject it. No I/O.
 * Written for clarity; canonical_scanner.ts is the fast path for rows that need no conversion.
 */
import { isValidDate } from "../domain/dates.ts";
import { type Reason, REGION_BY_NAME, REGIONS } from "../domain/sale.ts";

/** An accepted row. */
export interface ConvertedRow {
  /** Positive 64-bit integer. */
  saleId: bigint;
  /** Positive 64-bit integer. */
  customerId: bigint;
  /** Positive 64-bit integer. */
  productId: bigint;
  /** Positive 32-bit integer. */
  quantity: number;
  /** year × 416 + month × 32 + day of month: sorts like the calendar. */
  day: number;
  /** Amount in cents; exact, because it is below 2^53. */
  amountCents: number;
  /** Index in REGIONS. */
  region: number;
}

/** Accepted days, inclusive, encoded as in {@linkcode ConvertedRow}; undefined accepts every day. */
export type DayRange = { from: number; to: number } | undefined;

/** Maximum length of a line in bytes, without its line end; longer ones are malformed. */
export const MAX_LINE_BYTES = 65_536;

const FIELD_COUNT = 7;
const MAX_BIGINT = 9_223_372_036_854_775_807n;
const MAX_INTEGER = 2_147_483_647;
/** The limit of numeric(14,2). */
const MAX_AMOUNT_CENTS = 99_999_999_999_999;

const BLANKS = "[ \\t\\u00a0\\u202f]";
const AMOUNT = new RegExp(
  `^(₽${BLANKS}*)?(\\d+|\\d{1,3}(?:${BLANKS}\\d{3})+)(?:[.,](\\d{1,2}))?(${BLANKS}*(?:RUB|₽|руб\\.|р\\.))?$`,
);
const ALL_BLANKS = new RegExp(BLANKS, "g");
const TIME = "(?:[01]\\d|2[0-3]):[0-5]\\d";
const SECONDS = ":[0-5]\\d";
const ISO_DATE = new RegExp(`^(\\d{4})-(\\d{2})-(\\d{2})(?:T${TIME}${SECONDS}| ${TIME}(?:${SECONDS})?)?$`);
const DOTTED_DATE = new RegExp(`^(\\d{2})\\.(\\d{2})\\.(\\d{4})(?: ${TIME}(?:${SECONDS})?)?$`);
const SLASHED_DATE = /^(\d{4})\/(\d{2})\/(\d{2})$/;

function isBlankCode(code: number): boolean {
  return code === 0x20 || code === 0x09 || code === 0xa0 || code === 0x202f;
}

/**
 * Trims blanks from both ends. A loop, because a regular expression for trailing blanks takes quadratic time on a long run
 * of blanks inside the value.
 */
export function trimBlanks(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlankCode(text.charCodeAt(start))) start++;
  while (end > start && isBlankCode(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

/** Encodes `YYYY-MM-DD` as in {@linkcode ConvertedRow}. */
export function dayKey(isoDate: string): number {
  const [year, month, day] = isoDate.split("-").map(Number);
  return year! * 416 + month! * 32 + day!;
}

/** Splits a line into its seven values, with surrounding blanks trimmed; returns undefined when the line is malformed. */
export function splitLine(line: string): string[] | undefined {
  const fields = line.includes('"') ? splitQuoted(line) : line.split(",");
  if (fields?.length !== FIELD_COUNT) return undefined;
  return fields.map(trimBlanks);
}

function splitQuoted(line: string): string[] | undefined {
  // Segments are alternately outside and inside quotes; only commas outside separate fields.
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
  if (fields.length !== FIELD_COUNT) return undefined;
  const values: string[] = [];
  for (const field of fields) {
    const value = field.includes('"') ? unquote(trimBlanks(field)) : field;
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

function parseInteger(text: string, max: bigint): bigint | undefined {
  if (!/^\d+$/.test(text)) return undefined;
  const digits = text.replace(/^0+/, "");
  if (digits === "" || digits.length > 19) return undefined;
  const value = BigInt(digits);
  return value <= max ? value : undefined;
}

/** Parses an amount into cents; returns undefined when it is invalid. */
export function parseAmount(text: string): number | undefined {
  const found = AMOUNT.exec(text);
  if (!found || (found[1] && found[4])) return undefined;
  const digits = found[2]!.replace(ALL_BLANKS, "").replace(/^0+/, "");
  if (digits.length > 12) return undefined;
  const cents = Number(digits + (found[3] ?? "").padEnd(2, "0"));
  return cents > 0 && cents <= MAX_AMOUNT_CENTS ? cents : undefined;
}

function parseDate(text: string): number | undefined {
  const iso = ISO_DATE.exec(text) ?? SLASHED_DATE.exec(text);
  const dotted = iso ? null : DOTTED_DATE.exec(text);
  const [year, month, day] = iso ? [iso[1], iso[2], iso[3]] : dotted ? [dotted[3], dotted[2], dotted[1]] : [];
  if (!year || !isValidDate(Number(year), Number(month), Number(day))) return undefined;
  return Number(year) * 416 + Number(month) * 32 + Number(day);
}

/** Converts seven values to a row, or returns the first reason to reject them. */
export function convertRow(values: readonly string[], range: DayRange): ConvertedRow | Reason {
  if (values.includes("")) return "missing_value";
  const saleId = parseInteger(values[0]!, MAX_BIGINT);
  if (saleId === undefined) return "invalid_sale_id";
  const customerId = parseInteger(values[1]!, MAX_BIGINT);
  if (customerId === undefined) return "invalid_customer_id";
  const productId = parseInteger(values[2]!, MAX_BIGINT);
  if (productId === undefined) return "invalid_product_id";
  const quantity = parseInteger(values[3]!.replace(/^(\d+)\.0+$/, "$1"), BigInt(MAX_INTEGER));
  if (quantity === undefined) return "invalid_quantity";
  const amountCents = parseAmount(values[5]!);
  if (amountCents === undefined) return "invalid_amount";
  const day = parseDate(values[4]!);
  if (day === undefined) return "invalid_date";
  if (range && (day < range.from || day > range.to)) return "date_out_of_range";
  const region = REGION_BY_NAME.get(values[6]!.toLowerCase());
  if (region === undefined) return "unknown_region";
  return {
    saleId,
    customerId,
    productId,
    quantity: Number(quantity),
    day,
    amountCents,
    region,
  };
}

/** Formats a row as a canonical line, without line end. */
export function formatCanonicalRow(
  { saleId, customerId, productId, quantity, day, amountCents, region }: ConvertedRow,
): string {
  const year = String(Math.floor(day / 416)).padStart(4, "0");
  const month = String(Math.floor(day % 416 / 32)).padStart(2, "0");
  const date = `${year}-${month}-${String(day % 32).padStart(2, "0")}`;
  const digits = String(amountCents).padStart(3, "0");
  const money = `${digits.slice(0, -2)}.${digits.slice(-2)}`;
  return `${saleId},${customerId},${productId},${quantity},${date},${money},${REGIONS[region]}`;
}
