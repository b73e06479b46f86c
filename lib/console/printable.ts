/** Escapes untrusted text for terminals and logs. No I/O. */

/** Control characters, line and paragraph separators, bidirectional controls, and the byte order mark. */
const UNPRINTABLE = /[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/gu;

const MAX_CHARACTERS = 200;

/** Truncates a text to `maxLength` UTF-16 code units, and escapes unprintable characters as `\\u001b`. */
export function toPrintable(text: string, maxLength = MAX_CHARACTERS): string {
  const truncated = text.length > maxLength ? text.slice(0, maxLength).toWellFormed() + "…" : text;
  return truncated.replace(
    UNPRINTABLE,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
