/** Guesses the encoding of a text without a byte order mark. No I/O. */

/** Encodings of one byte a character that Russian exports have. */
const CYRILLIC = ["windows-1251", "koi8-r", "ibm866"] as const;
/** The most frequent letters of Russian: half of all. */
const FREQUENT = /[оеаинтсрвл]/g;
/** Bytes of UTF-16 text that tell. */
const MIN_BYTES = 4;

function isUtf8(bytes: Uint8Array): boolean {
  // The last character may have been cut.
  for (let cut = 0; cut <= 3; cut++) {
    try {
      new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(0, bytes.length - cut));
      return true;
    } catch { /* not with this end */ }
  }
  return false;
}

function hasMark(bytes: Uint8Array): boolean {
  const [a, b, c] = bytes;
  return (a === 0xff && b === 0xfe) || (a === 0xfe && b === 0xff) || (a === 0xef && b === 0xbb && c === 0xbf);
}

/** Counts what looks like Russian: frequent letters, less capitals within words. */
function score(text: string): number {
  const frequent = text.match(FREQUENT)?.length ?? 0;
  const odd = text.match(/\p{Ll}\p{Lu}/gu)?.length ?? 0;
  return frequent - odd * 2;
}

/** Returns an encoding that a source file must name, since the text is neither UTF-8 nor has a byte order mark; else undefined. */
export function guessEncoding(bytes: Uint8Array): string | undefined {
  if (hasMark(bytes) || bytes.length < MIN_BYTES) return undefined;
  const head = bytes.subarray(0, 4096);
  const zeros = (odd: number) => head.filter((byte, index) => index % 2 === odd && byte === 0).length;
  if (zeros(1) > head.length / 5) return "utf-16le";
  if (zeros(0) > head.length / 5) return "utf-16be";
  if (isUtf8(bytes)) return undefined;
  const best = CYRILLIC.map((name) => ({ name, points: score(new TextDecoder(name).decode(bytes)) }))
    .reduce((a, b) => b.points > a.points ? b : a);
  const high = bytes.reduce((count, byte) => count + (byte >= 0x80 ? 1 : 0), 0);
  // Russian text has words of such bytes, western text a letter here and there.
  const isRussian = best.points > high / 4 &&
    /[\u0400-\u04ff]{3}/.test(new TextDecoder(best.name).decode(bytes));
  return isRussian ? best.name : "windows-1252";
}
