import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { parquetSchema, type SchemaElement } from "hyparquet";
import {
  columnsOf,
  parsersOf,
  PHYSICAL_PARSERS,
  physicalSchema,
} from "../../../../lib/ingest/formats/parquet_columns.ts";

const date = { type: "INT32", converted_type: "DATE" } as const;
const schema: SchemaElement[] = [
  { name: "schema", num_children: 6 },
  { name: "id", type: "INT64", repetition_type: "OPTIONAL" },
  { name: "order", num_children: 2, repetition_type: "OPTIONAL" },
  { name: "at", ...date, repetition_type: "OPTIONAL" },
  { name: "price", type: "BYTE_ARRAY", converted_type: "DECIMAL", scale: 2, repetition_type: "OPTIONAL" },
  { name: "days", converted_type: "LIST", num_children: 1, repetition_type: "OPTIONAL" },
  { name: "list", num_children: 1, repetition_type: "REPEATED" },
  { name: "element", ...date, repetition_type: "OPTIONAL" },
  { name: "codes", type: "INT32", repetition_type: "REPEATED" },
  { name: "tax", type: "BYTE_ARRAY", converted_type: "DECIMAL", scale: 2, repetition_type: "REQUIRED" },
  { name: "half", type: "FIXED_LEN_BYTE_ARRAY", type_length: 2, logical_type: { type: "FLOAT16" } },
];
const root = parquetSchema({ schema });
const columns = columnsOf(root);

/** Returns how a column writes a value. */
function write(name: string, value: unknown): string {
  return columns.find((column) => column.name === name)!.makeFormat(".")(value);
}

describe("columnsOf()", () => {
  it("lists the members of structures, and lists as one column", () => {
    assertEquals(columns.map(({ name, path, isText }) => [name, path.length, isText]), [
      ["id", 1, true],
      ["order.at", 2, true],
      ["order.price", 2, true],
      ["days", 1, false],
      ["codes", 1, false],
      ["tax", 1, true],
      ["half", 1, true],
    ]);
  });

  it("writes values by what the schema says of them", () => {
    assertEquals(write("order.at", 20_407), "2025-11-15");
    assertEquals(write("order.price", Uint8Array.of(4, 26)), "10.50");
    assertEquals(write("days", [20_407, null]), '["2025-11-15",null]');
    assertEquals(write("codes", [7, -8]), "[7,-8]");
    assertEquals(write("half", 0.5), "0.5");
  });
});

describe("physicalSchema()", () => {
  it("leaves out what values mean, but keeps lists", () => {
    const physical = physicalSchema(root);
    assertEquals(physical.map(({ name }) => name), schema.map(({ name }) => name));
    const kinds = physical.map((
      { name, converted_type, logical_type },
    ) => [name, converted_type, logical_type?.type]);
    assertEquals(kinds.slice(1), [
      ["id", "TIMESTAMP_MILLIS", undefined],
      ["order", undefined, undefined],
      ["at", "DATE", undefined],
      ["price", undefined, undefined],
      ["days", "LIST", undefined],
      ["list", undefined, undefined],
      ["element", "DATE", undefined],
      ["codes", "DATE", undefined],
      ["tax", "UTF8", undefined],
      ["half", undefined, "FLOAT16"],
    ]);
  });
});

describe("parsersOf()", () => {
  it("hands every value to the function", () => {
    const parsers = parsersOf((value) => `<${value}>`);
    assertEquals([parsers.dateFromDays?.(1), parsers.timestampFromMilliseconds?.(2n)], ["<1>", "<2>"]);
  });
});

describe("PHYSICAL_PARSERS", () => {
  it("decode texts and leave other values as they are", () => {
    const bytes = new TextEncoder().encode("Юг");
    assertEquals([PHYSICAL_PARSERS.stringFromBytes?.(bytes), PHYSICAL_PARSERS.dateFromDays?.(1)], ["Юг", 1]);
  });
});
