/** Counts the lines of raw parts from their bytes, as the data contract defines them, independently of the code of clean. */

const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;
const SPACE = 0x20;
const TAB = 0x09;

/** What the current line holds up to the current byte. */
const enum LineState {
  /** Only blanks. */
  Blank,
  /** A character that is not blank; the rest of the line does not matter. */
  Content,
  /** Blanks, then C2, the first byte of U+00A0 (C2 A0). */
  C2,
  /** Blanks, then E2, the first byte of U+202F (E2 80 AF). */
  E2,
  /** Blanks, then E2 80. */
  E280,
  /** Blanks, then `\r`, which is part of the line ending if `\n` follows. */
  CarriageReturn,
}

/** Counts the lines that are not blank, including the header. Accepts chunks of any size. */
export class LineCounter {
  #state = LineState.Blank;
  #lines = 0;

  /** Adds the next chunk. */
  write(bytes: Uint8Array): void {
    for (let i = 0; i < bytes.length; i++) {
      if (this.#state === LineState.Content) {
        i = bytes.indexOf(LINE_FEED, i);
        if (i < 0) return;
        this.#lines++;
        this.#state = LineState.Blank;
      } else {
        this.#step(bytes[i]!);
      }
    }
  }

  #step(byte: number): void {
    const state = this.#state;
    if (byte === LINE_FEED) {
      if (state !== LineState.Blank && state !== LineState.CarriageReturn) this.#lines++;
      this.#state = LineState.Blank;
    } else if (state === LineState.Blank) {
      if (byte === SPACE || byte === TAB) return;
      this.#state = byte === CARRIAGE_RETURN
        ? LineState.CarriageReturn
        : byte === 0xc2
        ? LineState.C2
        : byte === 0xe2
        ? LineState.E2
        : LineState.Content;
    } else if (state === LineState.C2 && byte === 0xa0) {
      this.#state = LineState.Blank;
    } else if (state === LineState.E2 && byte === 0x80) {
      this.#state = LineState.E280;
    } else if (state === LineState.E280 && byte === 0xaf) {
      this.#state = LineState.Blank;
    } else {
      this.#state = LineState.Content;
    }
  }

  /** Returns the number of lines that are not blank; the last one needs no line feed. Call once, after the last chunk. */
  finish(): number {
    return this.#state === LineState.Blank || this.#state === LineState.CarriageReturn
      ? this.#lines
      : this.#lines + 1;
  }
}
