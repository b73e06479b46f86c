/** Recognises text that already is what raw/ holds, so that it can be copied without being parsed. No I/O. */

const [LINE_FEED, RETURN, QUOTE, COMMA, ZERO, NINE] = [10, 13, 34, 44, 48, 57];

/** Lines of a text that can be copied. */
export interface VerbatimLines {
  /** Rows. */
  rows: number;
  /** Blank lines. */
  blank: number;
}

/**
 * Counts the lines of a text that can be copied as it is: every line is blank, or begins with a digit, holds `columns`
 * values separated by commas, and no quotes; the text is valid UTF-8 without U+FFFD, which stands for what could not be decoded.
 * Undefined for any other text.
 *
 * @param bytes whole lines
 */
export function countVerbatimLines(bytes: Uint8Array, columns: number): VerbatimLines | undefined {
  let rows = 0;
  let blank = 0;
  let commas = 0;
  let isStart = true;
  let all = 0;
  // One pass over bytes: every row that is copied goes through here.
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at]!;
    all |= byte;
    if (byte === LINE_FEED) {
      if (isStart) blank++;
      else if (commas !== columns - 1) return undefined;
      else rows++;
      isStart = true;
      commas = 0;
      continue;
    }
    if (isStart) {
      if (byte < ZERO || byte > NINE) return undefined;
      isStart = false;
    } else if (byte === COMMA) commas++;
    else if (byte === QUOTE || byte === RETURN) return undefined;
  }
  if (!isStart) return undefined;
  return all < 0x80 || isSoundUtf8(bytes) ? { rows, blank } : undefined;
}

function isSoundUtf8(bytes: Uint8Array): boolean {
  try {
    return !new TextDecoder("utf-8", { fatal: true }).decode(bytes).includes("\ufffd");
  } catch (error) {
    if (error instanceof TypeError) return false;
    throw error;
  }
}
