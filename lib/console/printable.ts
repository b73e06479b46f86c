/** Text from outside, made fit for a terminal and a log. No I/O. */

/** Control characters, and those that turn or break the line they stand in. */
const UNSEEN = /[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/gu;

/** Characters of a text that are shown unless another number is asked for. */
const SHOWN_CHARACTERS = 200;

/** The text with unseen characters as `\\u001b`, cut after so many characters. */
export function shown(text: string, most = SHOWN_CHARACTERS): string {
  const cut = text.length > most ? text.slice(0, most).toWellFormed() + "…" : text;
  return cut.replace(UNSEEN, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
