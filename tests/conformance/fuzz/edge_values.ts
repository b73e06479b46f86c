/** Random values by column, many of them edge cases, and byte sequences to insert anywhere. */
import type { Prng } from "./prng.ts";

/** Blanks of the data contract, and other white space. */
const SPACES = [
  " ",
  "\t",
  "\u00a0",
  "\u202f",
  "  ",
  "\u2003",
  "\u3000",
  "\u2009",
  "\u200b",
  "\ufeff",
  "\v",
  "\f",
];

const IDS = [
  ...["0", "00", "007", "-1", "+1", "1.0", "1e3", "1_000", "1 000", "0x1F", "NaN", "Infinity", "null", ""],
  ...["9223372036854775807", "9223372036854775808", "18446744073709551617", "009223372036854775807"],
  ...["2147483647", "2147483648", "4294967297", "9007199254740993", "999999999999999", "1000000000000000"],
  ...[
    "9".repeat(40),
    `${"0".repeat(300)}5`,
    "１２",
    "٣",
    "१",
    "²",
    "Ⅷ",
    "5\u0301",
    "5\0",
    "\0",
    "1\r",
    "1;2",
  ],
];
const QUANTITIES = [
  "1.0",
  "3.000",
  "1.",
  "1.01",
  ".0",
  "0.0",
  "1,0",
  "1.0.0",
  "0001.000",
  "1.٠",
  "1.0f",
  "1e0",
];
const DAYS = [
  ...["2026-02-29", "2028-02-29", "2000-02-29", "1900-02-29", "0000-00-00", "0000-01-01", "0001-01-01"],
  ...[
    "9999-12-31",
    "10000-01-01",
    "-2026-01-01",
    "2026-13-01",
    "2026-00-10",
    "2026-11-31",
    "2026-1-2",
    "26-11-24",
  ],
  ...[
    "20261124",
    "24.11.2026",
    "24.11.26",
    "31.04.2026",
    "29.02.2028",
    "11/24/2026",
    "2026/11/24",
    "2026/2/3",
  ],
  ...["2026.11.24", "２０２６-11-24", "2026-11-24T00:00:00", "2026-11-24T23:59:59", "2026-11-24T24:00:00"],
  ...[
    "2026-11-24T12:00:60",
    "2026-11-24T12:60:00",
    "2026-11-24T12:00",
    "2026-11-24T12:00:00Z",
    "2026-11-24t12:00:00",
  ],
  ...["2026-11-24T12:00:00.000", "2026-11-24T12:00:00+03:00", "2026-11-24 12:00:00", "2026-11-24  12:00:00"],
  ...["2026-11-24\u00a012:00:00", "24.11.2026 12:00:00", "2026/11/24 12:00:00", "2026‑11‑24", "epoch", "now"],
];
const AMOUNTS = [
  ...[
    "0.01",
    "0.00",
    "0",
    "0.001",
    "10.005",
    "10.995",
    ".5",
    "5.",
    "5,",
    "00010.5",
    "0,1",
    "1e5",
    "1E-2",
    "-5",
    "+5",
  ],
  ...[
    "NaN",
    "inf",
    "1 234,50",
    "1\u00a0234.50 ₽",
    "1\u202f234",
    "₽10",
    "₽ 10 ₽",
    "₽10RUB",
    "10RUB",
    "10 rub",
    "10₽₽",
  ],
  ...[
    "RUB 10",
    "1 23 456",
    "12 345 6",
    "1234 567",
    "1,234.50",
    "1.234,50",
    "1  234",
    "1\t234",
    "1 234 567 890 12",
  ],
  ...[
    "999999999999.99",
    "999 999 999 999,99",
    "1000000000000",
    "0999999999999.99",
    "1".repeat(40),
    "₽",
    "RUB",
    "$5",
  ],
  ...[
    "１０",
    "10.0₽",
    "10.0 \u00a0\u202f\tRUB",
    "10 руб.",
    "10,5\u00a0р.",
    "₽10 р.",
    "10 руб",
    "₽\u202f\u00a0 1",
    "10.00 USD",
    "1 000 000 000 000",
    "0 000.01",
    "10\u2009000",
  ],
];
const REGIONS = ["North", "South", "East", "West", "N", "S", "E", "W", "Север", "Юг", "Восток", "Запад"];
const INVALID_REGIONS = [
  "Nort",
  "Северъ",
  "ｎorth",
  "North\u0307",
  "ſouth",
  "İ",
  "West\u00ad",
  "Сeвер",
  "Ѕouth",
  "N.",
  "NE",
  "ЮГ\u0301",
];

/** Returns a valid value of a column, canonical or not. */
function validValue(column: number, day: string, prng: Prng): string {
  if (column === 0) return String(1 + prng.below(400));
  if (column < 4) return String(1 + prng.below(column === 3 ? 3 : 2));
  if (column === 4) return prng.oneIn(4) ? addDays(day, -prng.below(370)) : day;
  if (column === 5) return prng.pick(["10.00", "10.00", "1234.50", "1 234,5", "₽7", "0.07 RUB"]);
  const name = prng.pick(REGIONS);
  return prng.oneIn(6) ? mixedCase(name, prng) : name;
}

function mixedCase(text: string, prng: Prng): string {
  return Array.from(text, (letter) => prng.oneIn(2) ? letter.toUpperCase() : letter.toLowerCase()).join("");
}

/** Returns the date that many days later. */
function addDays(day: string, days: number): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10);
}

function edgeValue(column: number, day: string, prng: Prng): string {
  const [year, month, date] = day.split("-");
  switch (column) {
    case 3:
      return prng.pick(prng.oneIn(2) ? QUANTITIES : IDS);
    case 4:
      return prng.pick([
        ...DAYS,
        addDays(day, -364),
        addDays(day, -365),
        addDays(day, 1),
        `${date}.${month}.${year}`,
        `${year}/${month}/${date}`,
        `${day}T07:08:09`,
        `${day} 07:08`,
        `${date}.${month}.${year} 07:08`,
        `${date}.${month}.${year} 23:59:59`,
      ]);
    case 5:
      return prng.pick(AMOUNTS);
    case 6:
      return prng.pick(INVALID_REGIONS);
    default:
      return prng.pick(IDS);
  }
}

/** Text that spreadsheets, browsers, shells or databases would interpret. */
export const FORMULAS = [
  ...['=HYPERLINK("http://evil.example/","x")', "+1+1", "-2+3", "@SUM(A1)", "=cmd|'/c calc'!A1", "\t=1+1"],
  ...[
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "'; DROP TABLE shop.sales; --",
    "\\.",
    "\\N",
    "$(id)",
  ],
];

/** Invalid UTF-8 sequences, and valid ones that are unusual, as Latin-1. */
export const SEQUENCES = [
  ...[
    "\xc0\xaf",
    "\xc1\xbf",
    "\xe0\x80\x80",
    "\xe0\x9f\xbf",
    "\xf0\x80\x80\x80",
    "\xf0\x8f\xbf\xbf",
    "\xf4\x90\x80\x80",
  ],
  ...[
    "\xed\xa0\x80",
    "\xed\xb0\x80",
    "\xed\xa0\xbd\xed\xb2\xa9",
    "\xf5\x80\x80\x80",
    "\xf8\x88\x80\x80\x80",
    "\xff",
    "\xfe",
  ],
  ...[
    "\x80",
    "\xbf",
    "\xc2",
    "\xe2",
    "\xe2\x80",
    "\xf0\x9f",
    "\xf0\x9f\x92",
    "\xd0",
    "\xef\xbb",
    "\xef\xbb\xbf",
    "\xef\xbf\xbe",
  ],
  ...[
    "\xc2\xa0",
    "\xe2\x80\xaf",
    "\xe2\x80\xa8",
    "\xe2\x80\xa9",
    "\xc2\x85",
    "\xe2\x80\xae",
    "\xf0\x9f\x92\xa9",
    "\xe2\x82\xbd",
  ],
  ...[
    "\0",
    "\r",
    "\r\r",
    "\t",
    "\v",
    "\f",
    "\x1a",
    "\x1b[2J",
    "\x7f",
    '"',
    '""',
    '"""',
    ",",
    ",,",
    ";",
    "|",
    "\\",
    "'",
    " ",
    "  ",
  ],
];

/** Returns a value of a column: with probability 1 / edgeOdds an edge case, otherwise a valid one; sometimes with white space around it. */
export function randomValue(column: number, day: string, edgeOdds: number, prng: Prng): string {
  const value = prng.oneIn(edgeOdds)
    ? prng.oneIn(8) ? prng.pick(FORMULAS) : edgeValue(column, day, prng)
    : validValue(column, day, prng);
  if (!prng.oneIn(20)) return value;
  return (prng.oneIn(2) ? prng.pick(SPACES) : "") + value + (prng.oneIn(2) ? prng.pick(SPACES) : "");
}
