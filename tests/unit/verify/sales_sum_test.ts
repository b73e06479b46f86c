import { assert, assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { toDay, toIsoDate } from "../../../lib/domain/dates.ts";
import { SalesflowError } from "../../../lib/console/errors.ts";
import { fromCents } from "../../../lib/domain/money.ts";
import { REGIONS, SALE_HEADER } from "../../../lib/domain/sale.ts";
import { addSales, type SalesSum, SalesSummer } from "../../../lib/verify/sales_sum.ts";

type Row = [bigint, bigint, bigint, bigint, string, bigint, string];

function sum(lines: readonly string[], pieces = 1000): SalesSum {
  const summer = new SalesSummer("the part");
  const bytes = new TextEncoder().encode([SALE_HEADER, ...lines].map((line) => line + "\n").join(""));
  for (let at = 0; at < bytes.length; at += pieces) summer.write(bytes.slice(at, at + pieces));
  return summer.finish();
}

function lineOf([saleId, customer, product, quantity, date, cents, region]: Row): string {
  return [saleId, customer, product, quantity, date, fromCents(cents), region].join(",");
}

/** The formula in the documentation of sales_sum.ts, in whole numbers of any size. */
function expected(rows: readonly Row[]): SalesSum {
  const p = 67_108_859n;
  const result: SalesSum = { rows: rows.length, quantity: 0n, cents: 0n, checksum: 0n };
  for (const [saleId, customer, product, quantity, date, cents, region] of rows) {
    const mixed = 11_400_713n * (customer % p) + 9_576_893n * (product % p) + 13_466_917n * (quantity % p) +
      8_191_207n * BigInt(toDay(date)) + 12_582_917n * (cents % p) +
      6_700_417n * BigInt(region.charCodeAt(0));
    result.quantity += quantity;
    result.cents += cents;
    result.checksum += (saleId % p + 1n) * (mixed % p);
  }
  return result;
}

const LARGEST: Row = [
  9223372036854775807n,
  9223372036854775807n,
  2147483647n,
  2147483647n,
  "9999-12-31",
  99999999999999n,
  "West",
];
const SMALLEST: Row = [1n, 1n, 1n, 1n, "0001-01-01", 1n, "North"];

describe("SalesSummer", () => {
  it("SalesSummer sums nothing to nothing", () => {
    assertEquals(sum([]), { rows: 0, quantity: 0n, cents: 0n, checksum: 0n });
  });

  it("SalesSummer is exact for many rows of the largest values", () => {
    // Beyond one flush, and beyond 2^53 kopecks.
    const rows = [SMALLEST, ...Array.from({ length: 10_000 }, () => LARGEST)];
    assertEquals(sum(rows.map(lineOf), 65_536), expected(rows));
  });

  it("SalesSummer agrees with the formula in whole numbers, in pieces of any size", () => {
    const id = fc.bigInt({ min: 1n, max: 9223372036854775807n });
    const integer = fc.bigInt({ min: 1n, max: 2147483647n });
    const date = fc.integer({ min: toDay("0001-01-01"), max: toDay("9999-12-31") }).map(toIsoDate);
    const row = fc.tuple(
      id,
      id,
      integer,
      integer,
      date,
      fc.bigInt({ min: 1n, max: 99999999999999n }),
      fc.constantFrom(...REGIONS),
    );
    fc.assert(fc.property(fc.array(row), fc.integer({ min: 1, max: 200 }), (rows, pieces) => {
      assertEquals(sum(rows.map((drawn) => lineOf(drawn as Row)), pieces), expected(rows as Row[]));
    }));
  });

  it("SalesSummer gives another checksum when values of two rows are exchanged", () => {
    const rows: Row[] = [[1n, 7n, 3n, 1n, "2026-10-01", 100n, "North"], [
      2n,
      8n,
      4n,
      2n,
      "2026-10-02",
      200n,
      "South",
    ]];
    const [a, b] = rows as [Row, Row];
    const whole = sum(rows.map(lineOf));
    assertEquals(sum([b, a].map(lineOf)), whole);
    for (let column = 0; column < a.length; column++) {
      const [c, d] = [[...a] as Row, [...b] as Row];
      [c[column], d[column]] = [b[column]!, a[column]!];
      assert(sum([c, d].map(lineOf)).checksum !== whole.checksum, `column ${column}`);
    }
  });

  it("addSales() of two parts is the sum of both", () => {
    assertEquals(addSales(sum([lineOf(LARGEST)]), sum([lineOf(SMALLEST)])), expected([LARGEST, SMALLEST]));
  });

  const good = "1,2,3,4,2026-10-01,5.06,East";
  const bad: [string, string][] = [
    ["one decimal", "1,2,3,4,2026-10-01,5.6,East"],
    ["three decimals", "1,2,3,4,2026-10-01,5.060,East"],
    ["no decimals", "1,2,3,4,2026-10-01,5,East"],
    ["a leading zero in a number", "1,2,03,4,2026-10-01,5.06,East"],
    ["a leading zero in an id", "01,2,3,4,2026-10-01,5.06,East"],
    ["a leading zero in the amount", "1,2,3,4,2026-10-01,05.06,East"],
    ["a missing value", "1,,3,4,2026-10-01,5.06,East"],
    ["a missing column", "1,2,3,4,2026-10-01,5.06"],
    ["another column", "1,2,3,4,2026-10-01,5.06,East,1"],
    ["quotes", '1,2,3,4,2026-10-01,5.06,"East"'],
    ["an unknown region", "1,2,3,4,2026-10-01,5.06,Earth"],
    ["a region in small letters", "1,2,3,4,2026-10-01,5.06,east"],
    ["a short date", "1,2,3,4,2026-10-1,5.06,East"],
    ["a sign", "1,2,3,-4,2026-10-01,5.06,East"],
    ["a return", "1,2,3,4,2026-10-01,5.06,East\r"],
    ["an empty line", ""],
  ];
  for (const [name, line] of bad) {
    it(`SalesSummer throws and tells the line when a row has ${name}`, () => {
      for (const pieces of [1, 1000]) {
        assertThrows(
          () => sum([good, line, good], pieces),
          SalesflowError,
          "the part is not canonical at line 3",
        );
      }
    });
  }

  it("SalesSummer throws when the header is another, is missing, or the last line is cut", () => {
    for (const text of ["sale_id\n", "", "\n", `${SALE_HEADER}\n1,2,3`, `${SALE_HEADER}\n${good}`]) {
      const summer = new SalesSummer("the part");
      assertThrows(
        () => {
          summer.write(new TextEncoder().encode(text));
          summer.finish();
        },
        SalesflowError,
        "not canonical",
      );
    }
  });
});
