/**
 * Converts ids of exports to numbers: digits stay unchanged, other text gets a surrogate key. The two ranges do not overlap.
 */
import xxhash from "xxhash-wasm";

/** Surrogate keys are from here to 2^63 − 1, the largest number of a table's column. */
export const FIRST_SURROGATE_KEY: bigint = 2n ** 62n;

const DIGITS = /^\d+(?:\.0+)?$/;
/** Any number of this many digits is below the first surrogate key. */
const SAFE_DIGITS = 18;

const { h64 } = await xxhash();

/** Returns the digits of an id such as `17850`, `17850.0` or `000123`, as they stand; undefined for any other text. */
export function toNumericId(text: string): string | undefined {
  if (!DIGITS.test(text)) return undefined;
  const point = text.indexOf(".");
  const digits = point < 0 ? text : text.slice(0, point);
  return digits.length <= SAFE_DIGITS || BigInt(digits) < FIRST_SURROGATE_KEY ? digits : undefined;
}

/**
 * Returns the surrogate key of a text: 2^62 + XXH64 of its UTF-8 bytes, seed 0, shifted right by two bits. The same text has the
 * same key in every run and on every machine.
 *
 * Source: https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md
 */
export function toSurrogateKey(text: string): bigint {
  return FIRST_SURROGATE_KEY + (h64(text) >> 2n);
}

/** Called with each text that became a surrogate key; may be called more than once for the same text. */
export type OnSurrogateKey = (key: bigint, text: string) => void;

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
    const kept = this.#kept?.get(text);
    if (kept !== undefined) return kept;
    const id = this.#toNumber(text);
    if (!this.#kept) return id;
    if (this.#kept.size >= MAX_KEPT_IDS) this.#kept.clear();
    this.#kept.set(text, id);
    return id;
  }

  #toNumber(text: string): string {
    if (text === "") return text;
    const digits = toNumericId(text);
    if (digits !== undefined) return digits;
    const key = toSurrogateKey(text);
    this.#onSurrogateKey(key, text);
    return key.toString();
  }
}
