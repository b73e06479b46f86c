/** Formats of dates in Luxon's tokens, compiled to regular expressions where all tokens are numeric. No I/O. */

const TWO_DIGITS = "(\\d{2})";
const ONE_OR_TWO_DIGITS = "(\\d{1,2})";

/** What a group of a pattern stands for. */
export type Field =
  | "year"
  | "shortYear"
  | "month"
  | "day"
  | "hour"
  | "halfHour"
  | "minute"
  | "second"
  | "half"
  | "offset"
  | "skipped";

/** Luxon's numeric tokens: what they stand for, and their pattern. */
const TOKENS: Readonly<Record<string, readonly [field: Field, pattern: string]>> = {
  yyyy: ["year", "(\\d{4})"],
  yy: ["shortYear", TWO_DIGITS],
  M: ["month", ONE_OR_TWO_DIGITS],
  MM: ["month", TWO_DIGITS],
  L: ["month", ONE_OR_TWO_DIGITS],
  LL: ["month", TWO_DIGITS],
  d: ["day", ONE_OR_TWO_DIGITS],
  dd: ["day", TWO_DIGITS],
  H: ["hour", ONE_OR_TWO_DIGITS],
  HH: ["hour", TWO_DIGITS],
  h: ["halfHour", ONE_OR_TWO_DIGITS],
  hh: ["halfHour", TWO_DIGITS],
  m: ["minute", ONE_OR_TWO_DIGITS],
  mm: ["minute", TWO_DIGITS],
  s: ["second", ONE_OR_TWO_DIGITS],
  ss: ["second", TWO_DIGITS],
  S: ["skipped", "(\\d{1,3})"],
  SSS: ["skipped", "(\\d{3})"],
  u: ["skipped", "(\\d{1,9})"],
  a: ["half", "([AaPp]\\.?[Mm]\\.?)"],
  Z: ["offset", "([+-]\\d{1,2}(?::\\d{2})?)"],
  ZZ: ["offset", "([+-]\\d{1,2}(?::\\d{2})?)"],
  ZZZ: ["offset", "([+-]\\d{1,2}(?:\\d{2})?)"],
};

/** A format as a regular expression. */
export interface Pattern {
  /** Of the whole text. */
  expression: RegExp;
  /** What its groups stand for. */
  fields: readonly Field[];
}

/** A part of a format. */
export interface FormatPart {
  /** A token, or what a literal stands for. */
  text: string;
  /** Whether it stands for itself. */
  isLiteral: boolean;
}

/** Splits a format into runs of one letter, and literals: text in single quotes and everything that is no letter. */
export function splitFormat(format: string): FormatPart[] {
  return [...format.matchAll(/'([^']*)'|([A-Za-z])\2*|[^A-Za-z']+/g)].map(([whole, quoted, letter]) => ({
    text: quoted ?? whole,
    isLiteral: letter === undefined,
  }));
}

function escapeLiteral(text: string): string {
  return RegExp.escape(text).replace(/(?:\\x20|\\u00a0|\s)+/g, "\\s+");
}

/** A format that only Luxon can read. */
export interface LuxonFormat {
  /** In Luxon's tokens. */
  format: string;
  /** Whether it has an offset or a zone. */
  hasZone: boolean;
  /** Whether it has an hour. */
  hasTime: boolean;
}

function lettersOf(format: string): string[] {
  return splitFormat(format).filter(({ isLiteral }) => !isLiteral).map(({ text }) => text);
}

/** Compiles a format that has passed {@linkcode findFormatMistake}. */
export function compileFormat(format: string): Pattern | LuxonFormat {
  const fields: Field[] = [];
  let source = "";
  for (const { text, isLiteral } of splitFormat(format)) {
    if (isLiteral) source += escapeLiteral(text);
    else {
      const token = TOKENS[text];
      if (!token) {
        const letters = lettersOf(format);
        return {
          format,
          hasZone: letters.some((each) => /^[zZ]/.test(each)),
          hasTime: letters.some((each) => /^[Hh]/.test(each)),
        };
      }
      fields.push(token[0]);
      source += token[1];
    }
  }
  return { expression: new RegExp(`^${source}$`), fields };
}

const TIME =
  "(?:[T ]\\s*(\\d{1,2}):(\\d{2})(?::(\\d{2})(?:[.,]\\d{1,9})?)?(?:\\s*(Z|UTC|GMT|[+-]\\d{2}(?::?\\d{2})?))?)?";
const TIME_FIELDS = ["hour", "minute", "second", "offset"] as const;

/** The data contract's forms, with and without an offset, fractions of a second, and seconds. */
export const USUAL_PATTERNS: readonly Pattern[] = [
  {
    expression: new RegExp(`^(\\d{4})-(\\d{2})-(\\d{2})${TIME}$`),
    fields: ["year", "month", "day", ...TIME_FIELDS],
  },
  {
    expression: new RegExp(`^(\\d{2})\\.(\\d{2})\\.(\\d{4})${TIME}$`),
    fields: ["day", "month", "year", ...TIME_FIELDS],
  },
  {
    expression: new RegExp(`^(\\d{4})/(\\d{2})/(\\d{2})${TIME}$`),
    fields: ["year", "month", "day", ...TIME_FIELDS],
  },
];

/** Tokens that Luxon can read besides {@linkcode TOKENS}. */
const OTHER_TOKENS = "G yyyyy yyyyyy MMM MMMM LLL LLLL o ooo kk kkkk W WW E EEE EEEE c ccc cccc uu uuu z"
  .split(" ");

/**
 * Returns what is wrong with a format; undefined when nothing is.
 *
 * A format must have year, month and day: Luxon would take those of today for what is missing.
 */
export function findFormatMistake(format: string): string | undefined {
  if ((format.match(/'/g)?.length ?? 0) % 2 === 1) return "a quote ' is not closed";
  const tokens = lettersOf(format);
  const unknown = tokens.find((token) => !(token in TOKENS) && !OTHER_TOKENS.includes(token));
  if (unknown !== undefined) {
    return `${unknown} is none of Luxon's tokens; put text into quotes: '${unknown}'`;
  }
  const has = (letters: string) => tokens.some((token) => letters.includes(token[0]!));
  const parts: [letters: string, name: string][] = [["y", "a year (yyyy)"], ["MLo", "a month (MM)"], [
    "do",
    "a day (dd)",
  ]];
  const missing = parts.filter(([letters]) => !has(letters)).map(([, name]) => name);
  return missing.length > 0 ? `it lacks ${missing.join(" and ")}` : undefined;
}
