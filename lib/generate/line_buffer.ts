/** A growing run of CSV lines as bytes, filled without making strings. */

const encoder = new TextEncoder();
const ZERO = 48;
const COMMA = 44;
const POINT = 46;
const LINE_FEED = 10;

/** No line that this project generates is longer, in bytes. */
export const LONGEST_LINE_BYTES = 512;
/** A sale is at most two lines: itself and what is injected after it. */
const LINES_OF_A_SALE = 2;

/** Encoded texts that stand in many lines. */
export function encodeAll(texts: readonly string[]): Uint8Array[] {
  return texts.map((text) => encoder.encode(text));
}

/** Bytes of lines, up to a fixed size. */
export class LineBuffer {
  readonly #bytes: Uint8Array<ArrayBuffer>;
  #end = 0;

  /** @param sizeBytes must leave room for a sale after the fill level that the caller flushes at: see {@linkcode LineBuffer.hasRoom} */
  constructor(sizeBytes: number) {
    this.#bytes = new Uint8Array(sizeBytes);
  }

  /** Bytes written since the last {@linkcode LineBuffer.clear}. */
  get filled(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#end);
  }

  /** Whether another sale fits, with lines of any length. */
  get hasRoom(): boolean {
    return this.#bytes.length - this.#end >= LINES_OF_A_SALE * LONGEST_LINE_BYTES;
  }

  clear(): void {
    this.#end = 0;
  }

  /** A non-negative whole number below 2^53, in decimal. */
  number(value: number): void {
    let digits = 1;
    for (let limit = 10; value >= limit; limit *= 10) digits++;
    this.#end += digits;
    let at = this.#end;
    // Whole-number arithmetic is only fast below 2^31.
    while (value > 0x7fffffff) {
      const quotient = Math.floor(value / 10);
      this.#bytes[--at] = ZERO + (value - quotient * 10);
      value = quotient;
    }
    let rest = value | 0;
    const start = this.#end - digits;
    while (at > start) {
      const quotient = (rest / 10) | 0;
      this.#bytes[--at] = ZERO + (rest - quotient * 10);
      rest = quotient;
    }
  }

  /** Cents as `1234.50`. */
  money(cents: number): void {
    const whole = Math.floor(cents / 100);
    const rest = cents - whole * 100;
    this.number(whole);
    this.#bytes[this.#end++] = POINT;
    this.#bytes[this.#end++] = ZERO + ((rest / 10) | 0);
    this.#bytes[this.#end++] = ZERO + rest % 10;
  }

  /** Bytes as they are; meant for short ones. */
  bytes(bytes: Uint8Array): void {
    for (let i = 0; i < bytes.length; i++) this.#bytes[this.#end++] = bytes[i]!;
  }

  /** A text, encoded as UTF-8. */
  text(text: string): void {
    const { read, written } = encoder.encodeInto(text, this.#bytes.subarray(this.#end));
    if (read < text.length) this.#refuse();
    this.#end += written;
  }

  comma(): void {
    this.#bytes[this.#end++] = COMMA;
  }

  /** @throws {RangeError} when the line did not fit: bytes behind the end of an array vanish without a word */
  endLine(): void {
    this.#bytes[this.#end++] = LINE_FEED;
    if (this.#end > this.#bytes.length) this.#refuse();
  }

  #refuse(): never {
    throw new RangeError(`a line does not fit into ${this.#bytes.length} bytes of lines`);
  }
}
