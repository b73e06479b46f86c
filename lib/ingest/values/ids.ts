/**
 * Converts ids of exports to numbers: digits stay unchanged, other text gets a surrogate key. The two ranges do not overlap.
 */
import xxhash from "xxhash-wasm";

/** Surrogate keys are from here to 2^63 − 1, the largest number of a table's column. */
export const FIRST_SURROGATE_KEY: bigint = 2n ** 62n;

const DIGITS = /^\d+(?:\.0+)?$/;
/** Any number of this many digits is below the first surrogate key. */
const SAFE_DIGITS = 18;

const { h64, h64Raw } = await xxhash();

/** Reports whether a text is digits only, few enough to be below the first surrogate key. */
function isShortNumber(text: string): boolean {
  if (text.length > SAFE_DIGITS) return false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code < 48 || code > 57) return false;
  }
  return true;
}

/** Returns the digits of an id such as `17850`, `17850.0` or `000123`, as they stand; undefined for any other text. */
export function toNumericId(text: string): string | undefined {
  if (!DIGITS.test(text)) return undefined;
  const point = text.indexOf(".");
  const digits = point < 0 ? text : text.slice(0, point);
  return digits.length <= SAFE_DIGITS || BigInt(digits) < FIRST_SURROGATE_KEY ? digits : undefined;
}

/** The surrogate key of a text. In halves, because bigints take a third of the time of a whole import. */
export interface SurrogateKey {
  /** Upper 32 bits. */
  high: number;
  /** Lower 32 bits. */
  low: number;
  /** In decimal. */
  digits: string;
}

const hash = new BigUint64Array(1);
/** Lower half first: every platform of Deno is little-endian. */
const hashHalves = new Uint32Array(hash.buffer);

/**
 * Returns the surrogate key of a text: 2^62 + XXH64 of its UTF-8 bytes, seed 0, shifted right by two bits. The same text has the
 * same key in every run and on every machine.
 *
 * Source: https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md
 */
export function toSurrogateKey(text: string): SurrogateKey {
  const { high, low } = takeHalves(h64(text));
  writeHalves(high, low, digits);
  return { high, low, digits: String.fromCharCode(...digits) };
}

/** A surrogate key in bytes, for the many that are needed once. */
export class SurrogateKeyBytes {
  /** Upper 32 bits. */
  high = 0;
  /** Lower 32 bits. */
  low = 0;
  /** In decimal, as ASCII. */
  readonly digits: Uint8Array = new Uint8Array(KEY_DIGITS);

  /** Makes it the key of a text in UTF-8. */
  set(text: Uint8Array): void {
    const { high, low } = takeHalves(h64Raw(text));
    this.high = high;
    this.low = low;
    writeHalves(high, low, this.digits);
  }
}

function takeHalves(bits: bigint): { high: number; low: number } {
  hash[0] = bits;
  const [low, high] = [hashHalves[0]!, hashHalves[1]!];
  return { high: high >>> 2 | 1 << 30, low: (low >>> 2 | high << 30) >>> 0 };
}

/** Decimal digits of every surrogate key: they are from 2^62 to 2^63 − 1. */
const KEY_DIGITS = 19;
const digits = new Uint8Array(KEY_DIGITS);
const BILLION = 1e9;
const DIGITS_OF_BILLION = 9;
const ZERO = 48;

/** Writes the number `high` × 2^32 + `low`, which is a surrogate key, in decimal. */
function writeHalves(high: number, low: number, target: Uint8Array): void {
  // Long division by 10^9, 16 bits at a time, so that every step is exact.
  let rest = high % BILLION;
  let quotient = (high - rest) / BILLION;
  for (const digit of [low >>> 16, low & 0xffff]) {
    const part = rest * 0x10000 + digit;
    rest = part % BILLION;
    quotient = quotient * 0x10000 + (part - rest) / BILLION;
  }
  const middle = quotient % BILLION;
  target[0] = ZERO + (quotient - middle) / BILLION;
  writeNineDigits(middle, target, 1);
  writeNineDigits(rest, target, 1 + DIGITS_OF_BILLION);
}

function writeNineDigits(value: number, target: Uint8Array, begin: number): void {
  let rest = value;
  for (let at = begin + DIGITS_OF_BILLION - 1; at >= begin; at--) {
    const quotient = (rest / 10) | 0;
    target[at] = ZERO + rest - quotient * 10;
    rest = quotient;
  }
}

/** Called with each text that became a surrogate key; may be called more than once for the same text. */
export type OnSurrogateKey = (key: SurrogateKey, text: string) => void;

/** Maximum number of cached ids. */
const MAX_KEPT_IDS = 100_000;

/** Converts the ids of a column. */
export class IdConverter {
  readonly #onSurrogateKey: OnSurrogateKey;
  readonly #kept: Map<string, string> | undefined;

  /**
   * Creates a converter.
   *
   * @param isRepeated whether the ids repeat, so that caching them pays
   */
  constructor(onSurrogateKey: OnSurrogateKey, isRepeated: boolean) {
    this.#onSurrogateKey = onSurrogateKey;
    this.#kept = isRepeated ? new Map() : undefined;
  }

  /** Returns the number of an id; an empty text stays empty. */
  convert(text: string): string {
    if (isShortNumber(text)) return text;
    const kept = this.#kept?.get(text);
    if (kept !== undefined) return kept;
    const id = this.#toNumber(text);
    if (!this.#kept) return id;
    if (this.#kept.size >= MAX_KEPT_IDS) this.#kept.clear();
    this.#kept.set(text, id);
    return id;
  }

  /** Makes texts that were converted before be told of again. */
  forget(): void {
    this.#kept?.clear();
  }

  #toNumber(text: string): string {
    const digits = toNumericId(text);
    if (digits !== undefined) return digits;
    const key = toSurrogateKey(text);
    this.#onSurrogateKey(key, text);
    return key.digits;
  }
}

/** Converters of columns, by their names. */
export type IdConverters = ReadonlyMap<string, IdConverter>;

/** Creates the converters of a sale's ids. */
export function createIdConverters(onSurrogateKey: OnSurrogateKey): IdConverters {
  // Customers and products repeat; sale ids are nearly unique.
  const repeated = { sale_id: false, customer_id: true, product_id: true };
  return new Map(
    Object.entries(repeated).map(([column, isRepeated]) => [
      column,
      new IdConverter(onSurrogateKey, isRepeated),
    ]),
  );
}
