/** Text from outside, made fit for a terminal and a log. No I/O. */

/** Control characters, and those that turn or break the line they stand in. */
const UNPRINTABLE = /[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/gu;

/** Characters of a text that are printable unless another number is asked for. */
const PRINTABLE_CHARACTERS = 200;

/** The text with unseen characters as `\\u001b`, cut after so many characters. */
export function printable(text: string, most = PRINTABLE_CHARACTERS): string {
  const cut = text.length > most ? text.slice(0, most).toWellFormed() + "…" : text;
  return cut.replace(
    UNPRINTABLE,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
