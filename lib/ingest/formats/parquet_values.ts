/**
 * Values of Parquet columns as text, from the types in which they are stored and what the schema says they mean. The library's
 * own conversions lose digits of decimals and of times. No I/O.
 */
import type { SchemaElement } from "hyparquet";
import { toIsoDate } from "../../domain/dates.ts";
import { type DecimalMark, formatFloat32, formatNumber, formatScaled } from "./plain_number.ts";

/** Turns a value that is not null into text. */
export type FormatValue = (value: unknown) => string;

/** Days since 1970-01-01 that have a year of four digits: 0001-01-01 to 9999-12-31. */
const [FIRST_DAY, LAST_DAY] = [-719_162, 2_932_896];
const DAY_SECONDS = 86_400;
/** Bytes of the largest whole number that is exact whatever its sign. */
const EXACT_BYTES = 6;
/** Parts of a second by unit. */
const UNITS = { MILLIS: 1_000, MICROS: 1_000_000, NANOS: 1_000_000_000 } as const;
type Unit = keyof typeof UNITS;

const textDecoder = new TextDecoder();

/** Reads a signed whole number, highest byte first. */
function bytesToInteger(bytes: Uint8Array): number | bigint {
  const isNegative = bytes.length > 0 && bytes[0]! >= 0x80;
  const filler = isNegative ? 0xff : 0;
  let start = 0;
  while (start < bytes.length && bytes[start] === filler) start++;
  const digits = bytes.subarray(start);
  if (digits.length <= EXACT_BYTES) {
    let value = isNegative ? -1 : 0;
    for (const byte of digits) value = value * 256 + byte;
    return value;
  }
  let value = isNegative ? -1n : 0n;
  for (const byte of digits) value = value * 256n + BigInt(byte);
  return value;
}

function pad(value: number): string {
  return value < 10 ? `0${value}` : String(value);
}

/** Formats a time of day; `parts` are those of a second. */
function formatTime(seconds: number, parts: number, unit: Unit): string {
  const time = `${pad(Math.floor(seconds / 3600))}:${pad(Math.floor(seconds / 60) % 60)}:${
    pad(seconds % 60)
  }`;
  if (parts === 0) return time;
  const decimals = String(UNITS[unit]).length - 1;
  return `${time}.${String(parts).padStart(decimals, "0").replace(/0+$/, "")}`;
}

/** Splits a number of parts of a second into whole seconds and the rest, which is not negative. */
function splitSeconds(value: number | bigint, unit: Unit): [seconds: number, parts: number] {
  const perSecond = UNITS[unit];
  const number = Number(value);
  if (Number.isSafeInteger(number)) {
    const seconds = Math.floor(number / perSecond);
    return [seconds, number - seconds * perSecond];
  }
  const parts = ((BigInt(value) % BigInt(perSecond)) + BigInt(perSecond)) % BigInt(perSecond);
  return [Number((BigInt(value) - parts) / BigInt(perSecond)), Number(parts)];
}

function makeDateFormat(): (day: number) => string | undefined {
  const dates = new Map<number, string>();
  return (day) => {
    if (day < FIRST_DAY || day > LAST_DAY) return undefined;
    let date = dates.get(day);
    if (date === undefined) dates.set(day, date = toIsoDate(day));
    return date;
  };
}

function makeTimestampFormat(unit: Unit, isUtc: boolean): FormatValue {
  const formatDate = makeDateFormat();
  return (value) => {
    const [seconds, parts] = splitSeconds(value as bigint, unit);
    const day = Math.floor(seconds / DAY_SECONDS);
    const date = formatDate(day);
    if (date === undefined) return String(value);
    return `${date} ${formatTime(seconds - day * DAY_SECONDS, parts, unit)}${isUtc ? "Z" : ""}`;
  };
}

/** Returns the unit of a time, and whether it counts in UTC, by the newer or the older way of saying it. */
function timeOf(
  element: SchemaElement,
  kind: "TIME" | "TIMESTAMP",
): { unit: Unit; isUtc: boolean } | undefined {
  const { logical_type: logical, converted_type: converted } = element;
  if (logical?.type === kind) return { unit: logical.unit, isUtc: logical.isAdjustedToUTC };
  // The older way has no local times.
  if (converted === `${kind}_MILLIS`) return { unit: "MILLIS", isUtc: true };
  return converted === `${kind}_MICROS` ? { unit: "MICROS", isUtc: true } : undefined;
}

/** Returns the number of bits of an unsigned whole number; undefined for a signed one. */
function unsignedBits(
  { logical_type: logical, converted_type: converted }: SchemaElement,
): number | undefined {
  if (logical?.type === "INTEGER") return logical.isSigned ? undefined : logical.bitWidth;
  const bits = /^UINT_(\d+)$/.exec(converted ?? "")?.[1];
  return bits === undefined ? undefined : Number(bits);
}

function makeIntegerFormat(element: SchemaElement): FormatValue {
  const formatDate = makeDateFormat();
  const isDate = element.logical_type?.type === "DATE" || element.converted_type === "DATE";
  if (isDate) return (value) => formatDate(value as number) ?? String(value);
  const timestamp = timeOf(element, "TIMESTAMP");
  if (timestamp) return makeTimestampFormat(timestamp.unit, timestamp.isUtc);
  const time = timeOf(element, "TIME");
  if (time) return (value) => formatTime(...splitSeconds(value as number | bigint, time.unit), time.unit);
  const bits = unsignedBits(element);
  if (bits === 64) return (value) => String(BigInt.asUintN(64, value as bigint));
  if (bits === 32) return (value) => String((value as number) >>> 0);
  return String;
}

/** Returns how many decimals a column has; undefined when it is no decimal. */
export function scaleOf(
  { logical_type: logical, converted_type: converted, scale }: SchemaElement,
): number | undefined {
  if (logical?.type === "DECIMAL") return logical.scale;
  return converted === "DECIMAL" ? scale ?? 0 : undefined;
}

/**
 * Returns how a column without members is written.
 *
 * @param element element of the schema, with what its values mean
 * @param mark mark before the decimals of numbers
 */
export function makeLeafFormat(element: SchemaElement, mark: DecimalMark): FormatValue {
  const scale = scaleOf(element);
  const isUuid = element.logical_type?.type === "UUID";
  if (scale !== undefined) {
    return (value) =>
      formatScaled(
        value instanceof Uint8Array ? bytesToInteger(value) : value as number | bigint,
        scale,
        mark,
      );
  }
  switch (element.type) {
    case "INT32":
    case "INT64":
      return makeIntegerFormat(element);
    case "INT96":
      // Spark, Hive and R write moments in UTC in this type, which cannot say so.
      return makeTimestampFormat("NANOS", true);
    case "FLOAT":
      return (value) => formatFloat32(value as number, mark);
    case "DOUBLE":
      return (value) => formatNumber(value as number, mark);
    default:
      return (value) => {
        if (typeof value === "string") return value;
        if (value instanceof Uint8Array) return isUuid ? formatUuid(value) : textDecoder.decode(value);
        return typeof value === "number" ? formatNumber(value, mark) : String(value);
      };
  }
}

function formatUuid(bytes: Uint8Array): string {
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

/** Reports whether the values of a column are numbers. */
export function isNumber(element: SchemaElement): boolean {
  return scaleOf(element) !== undefined || element.type === "FLOAT" || element.type === "DOUBLE" ||
    ((element.type === "INT32" || element.type === "INT64") && element.converted_type !== "DATE" &&
      !timeOf(element, "TIME") && !timeOf(element, "TIMESTAMP") && element.logical_type?.type !== "DATE");
}
