import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { CanonicalScanner } from "../../../lib/clean/canonical_scanner.ts";
import { parseRow } from "../../../lib/clean/validate.ts";
import { dayKey, type DayRange, formatCanonicalRow } from "../../../lib/clean/rules.ts";
import { REGIONS } from "../../../lib/domain/sale.ts";

const YEAR: DayRange = { from: dayKey("2025-11-25"), to: dayKey("2026-11-24") };

const encoder = new TextEncoder();
const decoder = new TextDecoder();

const two = (max: number) => fc.integer({ min: 0, max }).map((number) => String(number).padStart(2, "0"));

/** Mostly a common value, occasionally an edge case. */
function mostly(common: fc.Arbitrary<string>, ...edges: string[]): fc.Arbitrary<string> {
  return fc.oneof({ arbitrary: common, weight: 8 }, { arbitrary: fc.constantFrom(...edges), weight: 1 });
}

const number = fc.integer({ min: 1, max: 200_000_000 }).map(String);
const integer = mostly(number, "0", "1", "01", "2147483647", "2147483648");
const id = mostly(
  number,
  "0",
  "1",
  "01",
  "999999999999999",
  "1000000000000000",
  "9223372036854775807",
  "9223372036854775808",
);
const date = mostly(
  fc.tuple(fc.constantFrom("2026"), two(13), two(32)).map((parts) => parts.join("-")),
  "2025-11-24",
  "2025-11-25",
  "2026-02-28",
  "2026-02-29",
  "2026-11-24",
  "2026-11-25",
  "0000-01-01",
);
const amount = mostly(
  fc.tuple(fc.integer({ min: 0, max: 10_000_000 }), two(99)).map((parts) => parts.join(".")),
  "0.00",
  "0.01",
  "00.10",
  "999999999999.99",
  "1000000000000.00",
  "1.0",
  "1",
  ".50",
  "1.000",
);
const region = mostly(fc.constantFrom(...REGIONS), "north", "N", "", "Easter", "Wes", "Север");
const nearlyCanonical = fc.tuple(
  id,
  id,
  id,
  integer,
  date,
  amount,
  region,
).map((fields) => fields.join(","));

/** A change, insertion or deletion of a byte. */
const mutation = fc.record({
  at: fc.nat(60),
  kind: fc.constantFrom("change", "insert", "delete"),
  byte: fc.oneof(
    fc.constantFrom(...encoder.encode('0123456789,.-"; \t\rNSEWorthuas')),
    fc.integer({ min: 0, max: 255 }).filter((byte) => byte !== 10),
  ),
});

function mutate(line: string, mutations: { at: number; kind: string; byte: number }[]): Uint8Array {
  const bytes = [...encoder.encode(line)];
  for (const { at, kind, byte } of mutations) {
    if (kind === "insert") bytes.splice(at, 0, byte);
    else if (at < bytes.length) bytes.splice(at, 1, ...(kind === "change" ? [byte] : []));
  }
  return Uint8Array.from(bytes);
}

const line = fc.tuple(nearlyCanonical, fc.array(mutation, { maxLength: 3 }))
  .map(([text, mutations]) => mutate(text, mutations));

function joinHalves(high: number, low: number): bigint {
  return BigInt(high) * 2n ** 32n + BigInt(low);
}

describe("CanonicalScanner", () => {
  for (const [name, range] of [["the year", YEAR], ["every day", undefined]] as const) {
    it(`scan() accepts only lines that rules.ts keeps unchanged, when ${name} is accepted`, () => {
      const scanner = new CanonicalScanner(range);
      let accepted = 0;
      fc.assert(
        fc.property(line, (bytes) => {
          if (!scanner.scan(bytes, 0, bytes.length)) return;
          accepted++;
          const row = parseRow(bytes, 0, bytes.length, range);
          assert(typeof row === "object", `${decoder.decode(bytes)}: ${row}`);
          assertEquals(formatCanonicalRow(row), decoder.decode(bytes));
          const { quantity, day, amountCents, region } = scanner;
          assertEquals(
            {
              saleId: joinHalves(scanner.saleHigh, scanner.saleLow),
              customerId: joinHalves(scanner.customerHigh, scanner.customerLow),
              productId: joinHalves(scanner.productHigh, scanner.productLow),
              quantity,
              day,
              amountCents,
              region,
            },
            row,
          );
        }),
        { numRuns: 12_000 },
      );
      assert(accepted > 500, `only ${accepted} lines were accepted`);
    });
  }

  it("scan() accepts every canonical line and returns its ids", () => {
    const scanner = new CanonicalScanner(undefined);
    const magnitude = fc.tuple(fc.bigInt({ min: 1n, max: 2n ** 63n - 1n }), fc.integer({ min: 1, max: 19 }))
      .map(([number, digits]) => number % 10n ** BigInt(digits) || 1n);
    const id = fc.oneof(
      magnitude,
      fc.constantFrom(2n ** 32n - 1n, 2n ** 32n, 10n ** 15n - 1n, 10n ** 15n, 2n ** 62n, 2n ** 63n - 1n),
    );
    const integer = fc.integer({ min: 1, max: 2 ** 31 - 1 });
    const row = fc.record({
      saleId: id,
      customerId: id,
      productId: id,
      quantity: integer,
      day: fc.date({ min: new Date("0001-01-01"), max: new Date("9999-12-31"), noInvalidDate: true })
        .map((day) => dayKey(day.toISOString().slice(0, 10))),
      amountCents: fc.integer({ min: 1, max: 99_999_999_999_999 }),
      region: fc.integer({ min: 0, max: 3 }),
    });
    const smallest = { saleId: 1n, customerId: 1n, productId: 1n, quantity: 1, day: dayKey("2026-01-01") };
    fc.assert(
      fc.property(row, (expected) => {
        const bytes = encoder.encode(formatCanonicalRow(expected));
        assert(scanner.scan(bytes, 0, bytes.length), formatCanonicalRow(expected));
        const { saleHigh, saleLow, customerHigh, customerLow, productHigh, productLow } = scanner;
        assertEquals([
          joinHalves(saleHigh, saleLow),
          joinHalves(customerHigh, customerLow),
          joinHalves(productHigh, productLow),
        ], [expected.saleId, expected.customerId, expected.productId]);
      }),
      { numRuns: 1_000, examples: [[{ ...smallest, amountCents: 1, region: 2 }]] },
    );
  });

  it("scan() does not depend on the bytes around the line", () => {
    const scanner = new CanonicalScanner(YEAR);
    const around = fc.constantFrom("", "\n", "\r\n", "1", ",1,1,1,2026-01-01,0.01,East\n", "t\n", "0,East");
    fc.assert(
      fc.property(around, line, around, fc.nat(12), (before, bytes, after, cut) => {
        const [head, tail] = [encoder.encode(before), encoder.encode(after)];
        const all = Uint8Array.from([...head, ...bytes, ...tail]);
        const end = Math.max(0, bytes.length - cut);
        assertEquals(
          scanner.scan(all, head.length, head.length + end),
          scanner.scan(bytes.slice(0, end), 0, end),
        );
      }),
      { numRuns: 5_000 },
    );
  });
});
