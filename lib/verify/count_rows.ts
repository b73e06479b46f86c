/** Counts the rows of raw parts from their bytes, by the contract and not by the code that cleans. */

const LINE_FEED = 10;
const RETURN = 13;
const SPACE = 0x20;
const TAB = 0x09;

/** Where in a line the counter stands: blank so far (in the middle of a blank of several bytes, or after `\r`), or not. */
const enum At {
  Blank,
  Content,
  /** After C2, which A0 completes to U+00A0. */
  C2,
  /** After E2, which 80 AF completes to U+202F. */
  E2,
  E280,
  /** After a `\r`, which belongs to the line's end when `\n` follows. */
  Return,
}

/** Takes bytes in pieces of any size and counts lines that are not blank, the header among them. */
export class LineCounter {
  #at = At.Blank;
  #lines = 0;

  /** Takes the next bytes. */
  write(bytes: Uint8Array): void {
    for (let i = 0; i < bytes.length; i++) {
      if (this.#at === At.Content) {
        i = bytes.indexOf(LINE_FEED, i);
        if (i < 0) return;
        this.#lines++;
        this.#at = At.Blank;
      } else {
        this.#step(bytes[i]!);
      }
    }
  }

  #step(byte: number): void {
    const at = this.#at;
    if (byte === LINE_FEED) {
      if (at !== At.Blank && at !== At.Return) this.#lines++;
      this.#at = At.Blank;
    } else if (at === At.Blank) {
      if (byte === SPACE || byte === TAB) return;
      this.#at = byte === RETURN ? At.Return : byte === 0xc2 ? At.C2 : byte === 0xe2 ? At.E2 : At.Content;
    } else if (at === At.C2 && byte === 0xa0) {
      this.#at = At.Blank;
    } else if (at === At.E2 && byte === 0x80) {
      this.#at = At.E280;
    } else if (at === At.E280 && byte === 0xaf) {
      this.#at = At.Blank;
    } else {
      this.#at = At.Content;
    }
  }

  /** Lines that are not blank; the last one needs no line feed. Call once, at the end. */
  finish(): number {
    return this.#at === At.Blank || this.#at === At.Return ? this.#lines : this.#lines + 1;
  }
}
