import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { SchemaElement } from "hyparquet";
import { isNumber, makeLeafFormat, scaleOf } from "../../../../lib/ingest/formats/parquet_values.ts";

const column = (properties: Partial<SchemaElement>): SchemaElement => ({ name: "a", ...properties });
const timestamp = (unit: "MILLIS" | "MICROS" | "NANOS", isAdjustedToUTC: boolean): SchemaElement =>
  column({ type: "INT64", logical_type: { type: "TIMESTAMP", unit, isAdjustedToUTC } });

describe("makeLeafFormat()", () => {
  const cases: [what: string, element: SchemaElement, value: unknown, text: string][] = [
    ["a whole number", column({ type: "INT64" }), 2n ** 62n, "4611686018427387904"],
    ["an unsigned number", column({ type: "INT32", converted_type: "UINT_32" }), -1, "4294967295"],
    [
      "a long unsigned number",
      column({ type: "INT64", converted_type: "UINT_64" }),
      -1n,
      "18446744073709551615",
    ],
    ["an old date", column({ type: "INT32", converted_type: "DATE" }), -719_162, "0001-01-01"],
    ["a date that there is not", column({ type: "INT32", converted_type: "DATE" }), 2_932_897, "2932897"],
    ["milliseconds", timestamp("MILLIS", false), -1n, "1969-12-31 23:59:59.999"],
    ["microseconds in UTC", timestamp("MICROS", true), 1_763_242_207_250_000n, "2025-11-15 21:30:07.25Z"],
    ["nanoseconds", timestamp("NANOS", false), -1n, "1969-12-31 23:59:59.999999999"],
    [
      "many nanoseconds",
      timestamp("NANOS", false),
      1_763_242_207_000_000_001n,
      "2025-11-15 21:30:07.000000001",
    ],
    [
      "nanoseconds long ago",
      timestamp("NANOS", false),
      -9_000_000_000_000_000_001n,
      "1684-10-19 07:59:59.999999999",
    ],
    ["a time that there is not", timestamp("MILLIS", true), 2n ** 62n, "4611686018427387904"],
    [
      "an older time",
      column({ type: "INT64", converted_type: "TIMESTAMP_MILLIS" }),
      0n,
      "1970-01-01 00:00:00Z",
    ],
    ["a moment of Spark", column({ type: "INT96" }), 1_500_000_000n, "1970-01-01 00:00:01.5Z"],
    ["a time of day", column({ type: "INT32", converted_type: "TIME_MILLIS" }), 34_500_250, "09:35:00.25"],
    ["a short decimal", column({ type: "INT32", converted_type: "DECIMAL", scale: 2 }), -5, "-0.05"],
    ["a decimal without a scale", column({ type: "INT64", converted_type: "DECIMAL" }), 5n, "5"],
    ["a float", column({ type: "FLOAT" }), Math.fround(19.99), "19.99"],
    ["a double", column({ type: "DOUBLE" }), 1e21, "1000000000000000000000"],
    ["no number", column({ type: "DOUBLE" }), NaN, "NaN"],
    ["bytes of a text", column({ type: "BYTE_ARRAY" }), new TextEncoder().encode("Юг"), "Юг"],
    ["a truth", column({ type: "BOOLEAN" }), true, "true"],
    [
      "a UUID",
      column({ type: "FIXED_LEN_BYTE_ARRAY", logical_type: { type: "UUID" } }),
      Uint8Array.from({ length: 16 }, (_, at) => at * 17),
      "00112233-4455-6677-8899-aabbccddeeff",
    ],
  ];
  for (const [what, element, value, text] of cases) {
    it(`writes ${what}`, () => assertEquals(makeLeafFormat(element, ".")(value), text));
  }

  it("reads decimals of any number of bytes", () => {
    const format = makeLeafFormat(column({ type: "BYTE_ARRAY", converted_type: "DECIMAL", scale: 2 }), ",");
    const decimals: [bytes: number[], text: string][] = [
      [[], "0,00"],
      [[0], "0,00"],
      [[255], "-0,01"],
      [[128], "-1,28"],
      [[0, 128], "1,28"],
      [[255, 127], "-1,29"],
      [[0, 0, 0, 0, 0, 0, 0, 0, 4, 26], "10,50"],
      [[255, 255, 255, 255, 255, 255, 255, 255, 251, 230], "-10,50"],
      [[127, 255, 255, 255, 255, 255, 255, 255], "92233720368547758,07"],
      [[128, 0, 0, 0, 0, 0, 0, 0], "-92233720368547758,08"],
    ];
    for (const [bytes, text] of decimals) assertEquals(format(Uint8Array.from(bytes)), text);
  });
});

describe("scaleOf()", () => {
  it("takes the newer way of saying it before the older", () => {
    const logical = { type: "DECIMAL", scale: 3, precision: 9 } as const;
    assertEquals(scaleOf(column({ converted_type: "DECIMAL", scale: 2, logical_type: logical })), 3);
    assertEquals([scaleOf(column({ converted_type: "DECIMAL", scale: 2 })), scaleOf(column({ scale: 2 }))], [
      2,
      undefined,
    ]);
  });
});

describe("isNumber()", () => {
  it("knows whole numbers and decimals from dates and texts", () => {
    const numbers = [
      column({ type: "INT32" }),
      column({ type: "INT64", converted_type: "UINT_64" }),
      column({ type: "DOUBLE" }),
      column({ type: "FIXED_LEN_BYTE_ARRAY", converted_type: "DECIMAL", scale: 2 }),
    ];
    const others = [
      column({ type: "INT32", converted_type: "DATE" }),
      timestamp("NANOS", true),
      column({ type: "INT64", converted_type: "TIME_MICROS" }),
      column({ type: "BYTE_ARRAY" }),
      column({ type: "BOOLEAN" }),
    ];
    assertEquals([numbers.every(isNumber), others.some(isNumber)], [true, false]);
  });
});
