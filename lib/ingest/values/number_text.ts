/** Numbers as exports write them: marks of currencies, groups of thousands, decimal commas, signs in any place. No I/O. */

/** How an export writes numbers. */
export interface NumberStyle {
  /** Mark before the decimals. */
  decimal: "." | ",";
  /** Mark between groups of digits, besides blanks, which always are one; empty for none. */
  thousands: string;
}

const BLANKS = /\s+/g;
const FIRST_DIGIT = /[0-9]/;

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

function lastDigit(text: string): number {
  let at = text.length - 1;
  while (!isDigit(text.charCodeAt(at))) at--;
  return at;
}

/**
 * Returns the sign that what stands around the digits gives: 1 or −1; undefined when a hyphen there belongs to a word, as in
 * `INV-12` and `12-pack`.
 */
function findSign(before: string, after: string): 1 | -1 | undefined {
  if (/[\p{L}\p{N}][-−]$/u.test(before) || /^[-−][\p{L}\p{N}]/u.test(after)) return undefined;
  const parenthesised = before.includes("(") && after.includes(")");
  return parenthesised || /[-−]/.test(before) || /[-−]/.test(after) ? -1 : 1;
}

/** Removes the marks of thousands from a whole part; undefined when they do not stand between groups. */
function removeGroups(whole: string, mark: string): string | undefined {
  if (mark === "" || !whole.includes(mark)) return whole;
  const groups = whole.split(mark);
  const fits = groups.every((group, index) =>
    index === 0
      ? group.length >= 1 && group.length <= 3 && !group.startsWith("0")
      : group.length === 3 || (group.length === 2 && index < groups.length - 1)
  );
  return fits ? groups.join("") : undefined;
}

/**
 * Splits digits and marks into whole part and decimals, by the data contract: a point or a comma before the decimals, only
 * blanks between thousands. `1,234` is left undecided, since it may be either.
 */
function splitByContract(core: string): [whole: string, decimals: string] | undefined {
  const parts = core.split(/[.,]/);
  if (parts.length > 2) return undefined;
  const [whole = "", decimals = ""] = parts;
  const undecided = core.includes(",") && decimals.length === 3 && !/^0*$/.test(whole);
  return undecided ? undefined : [whole, decimals];
}

function splitByStyle(core: string, { decimal, thousands }: NumberStyle): [string, string] | undefined {
  const parts = core.split(decimal);
  if (parts.length > 2) return undefined;
  const whole = removeGroups(parts[0]!, thousands);
  return whole === undefined ? undefined : [whole, parts[1] ?? ""];
}

/**
 * Returns plain decimal text, `-1234.50`, with the decimals that the text has; undefined when the text is no number in this
 * style.
 *
 * What stands before the first digit and behind the last is removed, but for the signs of a negative number: `-12.50`,
 * `12.50-`, `(12.50)`, `-$3.00`.
 *
 * @param style how numbers are written; as in the data contract by default
 */
export function normalizeNumber(text: string, style?: NumberStyle): string | undefined {
  const first = text.search(FIRST_DIGIT);
  if (first < 0) return undefined;
  const last = lastDigit(text);
  let before = text.slice(0, first);
  let core = text.slice(first, last + 1).replace(BLANKS, "");
  // A number without a whole part, such as `.50` or `$.50`: not the end of an abbreviation, such as `руб.`.
  if (/(?<!\p{L})[.,]$/u.test(before)) {
    core = `0${before.at(-1)}${core}`;
    before = before.slice(0, -1);
  }
  const sign = findSign(before, text.slice(last + 1));
  const parts = style ? splitByStyle(core, style) : splitByContract(core);
  if (!sign || !parts) return undefined;
  const [whole, decimals] = parts;
  if (!/^[0-9]+$/.test(whole) || !/^[0-9]*$/.test(decimals)) return undefined;
  return `${sign < 0 ? "-" : ""}${whole}${decimals === "" ? "" : `.${decimals}`}`;
}
