import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import {
  type ConvertedRow,
  convertRow,
  dayKey,
  formatCanonicalRow,
  splitLine,
  trimBlanks,
} from "../../../lib/clean/rules.ts";
import { REGIONS, SALE_COLUMNS } from "../../../lib/domain/sale.ts";

const VALUES = ["7", "11", "22", "3", "2026-11-24", "10.00", "North"];
const BLANKS = [" ", "\t", "\u00a0", "\u202f"];

/** Returns the canonical value of a text in a column, or the reason to reject it. */
function read(column: typeof SALE_COLUMNS[number], text: string): string {
  const index = SALE_COLUMNS.indexOf(column);
  const row = convertRow(VALUES.with(index, text), undefined);
  return typeof row === "string" ? row : formatCanonicalRow(row).split(",")[index]!;
}

describe("convertRow()", () => {
  const accepted: [column: typeof SALE_COLUMNS[number], texts: [text: string, canonical: string][]][] = [
    ["sale_id", [["1", "1"], ["0012", "12"], ["9223372036854775807", "9223372036854775807"], [
      "0".repeat(40) + "5",
      "5",
    ]]],
    ["customer_id", [["9007199254740993", "9007199254740993"]]],
    ["product_id", [["2147483648", "2147483648"], ["9223372036854775807", "9223372036854775807"], [
      "0001",
      "1",
    ]]],
    ["quantity", [["3.0", "3"], ["3.000", "3"], ["007.0", "7"], ["2147483647.00", "2147483647"]]],
    ["sale_amount", [
      ["1234.5", "1234.50"],
      ["1 234,50", "1234.50"],
      ["1\u00a0234,5", "1234.50"],
      ["12\u202f345\t678", "12345678.00"],
      ["₽1234.50", "1234.50"],
      ["₽ \t1 234", "1234.00"],
      ["1234.50 RUB", "1234.50"],
      ["1234RUB", "1234.00"],
      ["0000,01₽", "0.01"],
      ["0.1", "0.10"],
      ["000 123 456", "123456.00"],
      ["999999999999.99", "999999999999.99"],
      ["999 999 999 999,99", "999999999999.99"],
      ["90071992547.40", "90071992547.40"],
    ]],
    ["sale_date", [
      ["2026-03-01", "2026-03-01"],
      ["2026-03-01T12:30:00", "2026-03-01"],
      ["2026-03-01 23:59:59", "2026-03-01"],
      ["01.03.2026", "2026-03-01"],
      ["2026/03/01", "2026-03-01"],
      ["2024-02-29", "2024-02-29"],
      ["0001-01-01", "0001-01-01"],
      ["31.12.9999", "9999-12-31"],
    ]],
    ["region", [
      ["nORTH", "North"],
      ["s", "South"],
      ["E", "East"],
      ["w", "West"],
      ["СЕВЕР", "North"],
      ["юг", "South"],
      ["Восток", "East"],
      ["заПАД", "West"],
    ]],
  ];
  for (const [column, texts] of accepted) {
    for (const [text, canonical] of texts) {
      it(`reads ${canonical} when ${column} is ${JSON.stringify(text)}`, () => {
        assertEquals(read(column, text), canonical);
      });
    }
  }

  const rejected: [column: typeof SALE_COLUMNS[number], reason: string, texts: string[]][] = [
    ["sale_id", "invalid_sale_id", [
      "0",
      "000",
      "-1",
      "+1",
      "1.0",
      "1e3",
      "0x1",
      "1 2",
      "٣",
      "9223372036854775808",
    ]],
    ["customer_id", "invalid_customer_id", ["0", "guest", "99999999999999999999", "１"]],
    ["product_id", "invalid_product_id", ["0", "9223372036854775808", "1.0"]],
    ["quantity", "invalid_quantity", [
      "0",
      "0.0",
      "3.",
      "3.1",
      "3,0",
      ".0",
      "-3",
      "2147483648",
      "3.0.0",
      "1 000",
    ]],
    ["sale_amount", "invalid_amount", [
      "0",
      "0.00",
      "-1.00",
      "+1.00",
      "1.234",
      "1,234.50",
      "1.",
      ".5",
      "1..5",
      "1 23",
      "1234 567",
      "1  234",
      " 1",
      "₽",
      "RUB",
      "₽1₽",
      "₽1 RUB",
      "RUB 1",
      "1 rub",
      "1 руб",
      "1e3",
      "Infinity",
      "NaN",
      "1000000000000.00",
      "1 000 000 000 000",
      "١٢",
      "1'234",
    ]],
    ["sale_date", "invalid_date", [
      "2026-02-29",
      "1900-02-29",
      "2026-04-31",
      "2026-13-01",
      "2026-00-10",
      "2026-01-00",
      "0000-01-01",
      "2026-1-1",
      "1.3.2026",
      "01/03/2026",
      "2026-03-01T24:00:00",
      "2026-03-01T23:60:00",
      "2026-03-01T23:59:60",
      "2026-03-01T12:30",
      "2026-03-01T12:30:00Z",
      "2026-03-01T12:30:00.000",
      "2026-03-01  12:30:00",
      "2026-03-01t12:30:00",
      "01.03.2026T12:30:00",
      "2026/03/01 12:30:00",
      "20260301",
      "yesterday",
      "12026-01-01",
    ]],
    ["region", "unknown_region", ["Center", "NorthEast", "No", "Nord", "Северо", "С", "-", "North."]],
  ];
  for (const [column, reason, texts] of rejected) {
    for (const text of texts) {
      it(`returns ${reason} when ${column} is ${JSON.stringify(text)}`, () => {
        assertEquals(read(column, text), reason);
      });
    }
  }

  it("returns missing_value when any value is empty", () => {
    for (let index = 0; index < VALUES.length; index++) {
      assertEquals(convertRow(VALUES.with(index, ""), undefined), "missing_value");
    }
  });

  it("accepts the first and the last day of the range, and no day outside", () => {
    const range = { from: dayKey("2025-11-25"), to: dayKey("2026-11-24") };
    const status = (date: string) => typeof convertRow(VALUES.with(4, date), range);
    assertEquals(["2025-11-25", "2026-11-24", "2026-02-28"].map(status), ["object", "object", "object"]);
    for (const date of ["2025-11-24", "2026-11-25", "9999-12-31", "0001-01-01"]) {
      assertEquals(convertRow(VALUES.with(4, date), range), "date_out_of_range");
    }
  });

  it("returns the first reason, in the order of the data contract", () => {
    const invalid = ["x", "x", "x", "x", "x", "x", "x"];
    const order = ["invalid_sale_id", "invalid_customer_id", "invalid_product_id", "invalid_quantity"];
    order.push("invalid_amount", "invalid_date", "unknown_region");
    const fixOrder = [0, 1, 2, 3, 5, 4, 6];
    order.forEach((reason, step) => {
      const values = invalid.map((value, index) => fixOrder.indexOf(index) < step ? VALUES[index]! : value);
      assertEquals(convertRow(values, undefined) as string, reason);
    });
  });
});

describe("formatCanonicalRow()", () => {
  const row = fc.record<ConvertedRow>({
    saleId: fc.bigInt({ min: 1n, max: 2n ** 63n - 1n }),
    customerId: fc.bigInt({ min: 1n, max: 2n ** 63n - 1n }),
    productId: fc.bigInt({ min: 1n, max: 2n ** 63n - 1n }),
    quantity: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
    day: fc.date({ min: new Date("0001-01-01"), max: new Date("9999-12-31"), noInvalidDate: true })
      .map((date) => dayKey(date.toISOString().slice(0, 10))),
    amountCents: fc.integer({ min: 1, max: 99_999_999_999_999 }),
    region: fc.integer({ min: 0, max: REGIONS.length - 1 }),
  }, { noNullPrototype: true });

  it("returns a line that convertRow() reads back as the same row", () => {
    fc.assert(
      fc.property(row, (expected) => {
        const values = splitLine(formatCanonicalRow(expected));
        assertEquals(convertRow(values!, undefined), expected);
      }),
    );
  });
});

describe("trimBlanks()", () => {
  const cases: [text: string, trimmed: string][] = [
    ["", ""],
    [" ", ""],
    [BLANKS.join(""), ""],
    [`${BLANKS.join("")}a b${BLANKS.join("")}`, "a b"],
    ["\u2003a", "\u2003a"],
    ["\ufeffa", "\ufeffa"],
    ["a\n", "a\n"],
  ];
  for (const [text, trimmed] of cases) {
    it(`returns ${JSON.stringify(trimmed)} for ${JSON.stringify(text)}`, () =>
      assertEquals(trimBlanks(text), trimmed));
  }
});

/** Splits character by character as the data contract says; shares no code with rules.ts. */
function splitCharByChar(line: string): string[] | undefined {
  let inside = false;
  const fields = [""];
  for (const char of line) {
    if (char === '"') inside = !inside;
    if (char === "," && !inside) fields.push("");
    else fields[fields.length - 1] += char;
  }
  if (inside || fields.length !== 7) return undefined;
  const strip = (text: string) => {
    let value = text;
    while (BLANKS.includes(value[0]!)) value = value.slice(1);
    while (BLANKS.includes(value.at(-1)!)) value = value.slice(0, -1);
    return value;
  };
  const values: string[] = [];
  for (const field of fields) {
    if (!field.includes('"')) {
      values.push(strip(field));
      continue;
    }
    const quoted = strip(field);
    if (quoted.length < 2 || quoted[0] !== '"' || quoted.at(-1) !== '"') return undefined;
    let value = "";
    for (let at = 1; at < quoted.length - 1; at++) {
      if (quoted[at] === '"' && (at + 1 >= quoted.length - 1 || quoted[++at] !== '"')) return undefined;
      value += quoted[at];
    }
    values.push(strip(value));
  }
  return values;
}

describe("splitLine()", () => {
  it("agrees with an implementation that splits character by character", () => {
    const char = fc.constantFrom('"', '"', ",", ",", "a", "1", " ", "\t", "\u00a0", "\u202f", "я", "\r");
    const anything = fc.array(char, { maxLength: 60 }).map((chars) => chars.join(""));
    const quoted = fc.array(char, { maxLength: 5 }).map((chars) =>
      ` "${chars.join("").replaceAll('"', '""')}"`
    );
    const anyText = fc.array(char, { maxLength: 5 }).map((chars) => chars.join(""));
    const field = fc.oneof(
      { arbitrary: fc.constantFrom("a", " 1 ", "", '""', '" "', ' "a" '), weight: 8 },
      { arbitrary: quoted, weight: 8 },
      { arbitrary: anyText, weight: 1 },
      { arbitrary: fc.constantFrom('"""', '""""', '"a"b', 'a"b"'), weight: 1 },
    );
    const seven = fc.array(field, { minLength: 7, maxLength: 7 }).map((fields) => fields.join(","));
    let split = 0;
    fc.assert(
      fc.property(fc.oneof(anything, seven), (line) => {
        const values = splitLine(line);
        assertEquals(values, splitCharByChar(line), JSON.stringify(line));
        if (values) split++;
      }),
      { numRuns: 5_000 },
    );
    assert(split > 200, `only ${split} lines had seven fields`);
  });

  it("returns the values that were quoted", () => {
    const value = fc.string({ unit: fc.constantFrom('"', ",", "a", "я", "x y"), minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(fc.array(value, { minLength: 7, maxLength: 7 }), (values) => {
        const line = values.map((text) => `"${text.replaceAll('"', '""')}"`).join(",");
        assertEquals(splitLine(line), values);
      }),
    );
  });

  // A regular expression for trailing blanks would take minutes on the longest line.
  it("splits long runs of blanks, quotes, digits and groups in linear time", () => {
    for (const run of [" ", "\t ", '""', "1", "1 000 ", "₽ ", "0", ",", '","']) {
      const long = run.repeat(Math.floor(60_000 / run.length));
      for (
        const text of [`1,1,1,1,2026-01-01,1${long}x,East`, `1,1,1,1,2026-01-01,${long},East`, `a${long}b`]
      ) {
        const values = splitLine(text);
        assertEquals(values, splitCharByChar(text));
        if (values) assertEquals(typeof convertRow(values, undefined), "string");
      }
    }
  });
});
