import { assert, assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { toDay, toIsoDate } from "../../../lib/domain/dates.ts";
import { SalesflowError } from "../../../lib/console/errors.ts";
import { fromCents } from "../../../lib/domain/money.ts";
import { REGIONS, SALE_HEADER } from "../../../lib/domain/sale.ts";
import { addSums, SalesAccumulator, type SalesSum } from "../../../lib/verify/sales_sum.ts";

type Row = [bigint, bigint, bigint, bigint, string, bigint, string];

function sum(lines: readonly string[], chunkBytes = 1000): SalesSum {
  const accumulator = new SalesAccumulator("the part");
  const bytes = new TextEncoder().encode([SALE_HEADER, ...lines].map((line) => line + "\n").join(""));
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    accumulator.write(bytes.slice(at, at + chunkBytes));
  }
  return accumulator.finish();
}

function toLine([saleId, customer, product, quantity, date, cents, region]: Row): string {
  return [saleId, customer, product, quantity, date, fromCents(cents), region].join(",");
}

/** Computes the formula documented in sales_sum.ts with BigInt. */
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
  9223372036854775807n,
  2147483647n,
  "9999-12-31",
  99999999999999n,
  "West",
];
const SMALLEST: Row = [1n, 1n, 1n, 1n, "0001-01-01", 1n, "North"];

describe("SalesAccumulator", () => {
  it("SalesAccumulator returns zeros for a part without rows", () => {
    assertEquals(sum([]), { rows: 0, quantity: 0n, cents: 0n, checksum: 0n });
  });

  it("SalesAccumulator is exact for many rows of the largest values", () => {
    // More rows than one flush, and sums above 2^53 kopecks.
    const rows = [SMALLEST, ...Array.from({ length: 10_000 }, () => LARGEST)];
    assertEquals(sum(rows.map(toLine), 65_536), expected(rows));
  });

  it("SalesAccumulator agrees with the formula for any rows, in chunks of any size", () => {
    const id = fc.bigInt({ min: 1n, max: 9223372036854775807n });
    const integer = fc.bigInt({ min: 1n, max: 2147483647n });
    const date = fc.integer({ min: toDay("0001-01-01"), max: toDay("9999-12-31") }).map(toIsoDate);
    const row = fc.tuple(
      id,
      id,
      id,
      integer,
      date,
      fc.bigInt({ min: 1n, max: 99999999999999n }),
      fc.constantFrom(...REGIONS),
    );
    fc.assert(fc.property(fc.array(row), fc.integer({ min: 1, max: 200 }), (rows, chunkBytes) => {
      assertEquals(sum(rows.map((row) => toLine(row as Row)), chunkBytes), expected(rows as Row[]));
    }));
  });

  it("SalesAccumulator returns a different checksum when two rows swap the values of a column", () => {
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
    const whole = sum(rows.map(toLine));
    assertEquals(sum([b, a].map(toLine)), whole);
    for (let column = 0; column < a.length; column++) {
      const [c, d] = [[...a] as Row, [...b] as Row];
      [c[column], d[column]] = [b[column]!, a[column]!];
      assert(sum([c, d].map(toLine)).checksum !== whole.checksum, `column ${column}`);
    }
  });

  it("addSums() returns the sums of both parts", () => {
    assertEquals(addSums(sum([toLine(LARGEST)]), sum([toLine(SMALLEST)])), expected([LARGEST, SMALLEST]));
  });

  const good = "1,2,3,4,2026-10-01,5.06,East";
  const bad: [string, string][] = [
    ["one decimal", "1,2,3,4,2026-10-01,5.6,East"],
    ["three decimals", "1,2,3,4,2026-10-01,5.060,East"],
    ["no decimals", "1,2,3,4,2026-10-01,5,East"],
    ["a leading zero in a number", "1,2,3,04,2026-10-01,5.06,East"],
    ["a leading zero in an id", "01,2,3,4,2026-10-01,5.06,East"],
    ["a leading zero in a product_id", "1,2,03,4,2026-10-01,5.06,East"],
    ["a leading zero in the amount", "1,2,3,4,2026-10-01,05.06,East"],
    ["a missing value", "1,,3,4,2026-10-01,5.06,East"],
    ["a missing column", "1,2,3,4,2026-10-01,5.06"],
    ["an extra column", "1,2,3,4,2026-10-01,5.06,East,1"],
    ["quotes", '1,2,3,4,2026-10-01,5.06,"East"'],
    ["an unknown region", "1,2,3,4,2026-10-01,5.06,Earth"],
    ["a region in lower case", "1,2,3,4,2026-10-01,5.06,east"],
    ["a date with one digit for the day", "1,2,3,4,2026-10-1,5.06,East"],
    ["a sign", "1,2,3,-4,2026-10-01,5.06,East"],
    ["a carriage return", "1,2,3,4,2026-10-01,5.06,East\r"],
    ["an empty line", ""],
  ];
  for (const [name, line] of bad) {
    it(`SalesAccumulator throws with the line number when a row has ${name}`, () => {
      for (const chunkBytes of [1, 1000]) {
        assertThrows(
          () => sum([good, line, good], chunkBytes),
          SalesflowError,
          "the part is not canonical at line 3",
        );
      }
    });
  }

  it("SalesAccumulator throws when the header is wrong or missing, or the last line is incomplete", () => {
    for (const text of ["sale_id\n", "", "\n", `${SALE_HEADER}\n1,2,3`, `${SALE_HEADER}\n${good}`]) {
      const accumulator = new SalesAccumulator("the part");
      assertThrows(
        () => {
          accumulator.write(new TextEncoder().encode(text));
          accumulator.finish();
        },
        SalesflowError,
        "not canonical",
      );
    }
  });
});
