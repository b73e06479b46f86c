/** Fixed-size buffer of CSV lines that is filled without allocating strings. */

const encoder = new TextEncoder();
const ZERO = 48;
const COMMA = 44;
const POINT = 46;
const LINE_FEED = 10;

/** Maximum length of a generated line in bytes. */
export const MAX_LINE_BYTES = 512;
/** A sale takes at most two lines: itself and the row injected after it. */
const MAX_LINES_PER_SALE = 2;

/** Encodes texts as UTF-8, for texts that occur in many lines. */
export function encodeAll(texts: readonly string[]): Uint8Array[] {
  return texts.map((text) => encoder.encode(text));
}

/** Buffer of lines. Writes past its end are detected by {@linkcode LineBuffer.endLine}. */
export class LineBuffer {
  readonly #bytes: Uint8Array<ArrayBuffer>;
  #end = 0;

  /**
   * Creates an empty buffer.
   *
   * @param sizeBytes capacity; must hold at least the lines of one sale, see {@linkcode LineBuffer.hasRoom}
   */
  constructor(sizeBytes: number) {
    this.#bytes = new Uint8Array(sizeBytes);
  }

  /** Bytes written since the last {@linkcode LineBuffer.clear}. */
  get filled(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#end);
  }

  /** Whether the lines of another sale fit, whatever their length. */
  get hasRoom(): boolean {
    return this.#bytes.length - this.#end >= MAX_LINES_PER_SALE * MAX_LINE_BYTES;
  }

  /** Empties the buffer. */
  clear(): void {
    this.#end = 0;
  }

  /** Appends a non-negative integer below 2^53, in decimal. */
  appendInteger(value: number): void {
    let digits = 1;
    for (let limit = 10; value >= limit; limit *= 10) digits++;
    this.#end += digits;
    let at = this.#end;
    // Integer arithmetic is fast only below 2^31.
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

  /** Appends cents as `1234.50`. */
  appendMoney(cents: number): void {
    const whole = Math.floor(cents / 100);
    const rest = cents - whole * 100;
    this.appendInteger(whole);
    this.#bytes[this.#end++] = POINT;
    this.#bytes[this.#end++] = ZERO + ((rest / 10) | 0);
    this.#bytes[this.#end++] = ZERO + rest % 10;
  }

  /** Appends bytes; a loop, which is fast for a few of them. */
  appendBytes(bytes: Uint8Array): void {
    for (let i = 0; i < bytes.length; i++) this.#bytes[this.#end++] = bytes[i]!;
  }

  /**
   * Appends a text, encoded as UTF-8.
   *
   * @throws {RangeError} when the text does not fit
   */
  appendText(text: string): void {
    const { read, written } = encoder.encodeInto(text, this.#bytes.subarray(this.#end));
    if (read < text.length) this.#throwOverflow();
    this.#end += written;
  }

  /** Appends a comma. */
  appendComma(): void {
    this.#bytes[this.#end++] = COMMA;
  }

  /**
   * Ends the line.
   *
   * @throws {RangeError} when the line did not fit: writes past the end of a typed array are ignored silently
   */
  endLine(): void {
    this.#bytes[this.#end++] = LINE_FEED;
    if (this.#end > this.#bytes.length) this.#throwOverflow();
  }

  #throwOverflow(): never {
    throw new RangeError(`line does not fit into the buffer of ${this.#bytes.length} bytes`);
  }
}
