import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { compileColumn, findLineWithins } from "../../../../lib/ingest/source/compile_rule.ts";
import { HeaderNames } from "../../../../lib/ingest/source/header_names.ts";
import { LookupTable } from "../../../../lib/ingest/source/lookup_table.ts";
import type { TargetColumn } from "../../../../lib/ingest/source/rule.ts";
import { parseSourceFile } from "../../../../lib/ingest/source/source_file.ts";

const RULES: Record<string, string> = {
  sale_id: "A",
  customer_id: "A",
  product_id: "A",
  quantity: "A",
  sale_date: "A",
  sale_amount: "A",
  region: "A",
};

const LOOKUPS = new Map([[
  "regions.csv",
  LookupTable.parse("c,s,region\nUS,CA,West\nUS,,East\n", 2, "regions.csv"),
]]);

/** Computes a column of a record with the columns A, B and C. */
function compute(
  column: TargetColumn,
  rule: string,
  values: [a?: string, b?: string, c?: string],
  { more = "", numbers = [1] }: { more?: string; numbers?: number[] } = {},
): string {
  const columns = Object.entries({ ...RULES, [column]: rule }).map(([name, text]) => `  ${name}: ${text}\n`)
    .join("");
  const source = parseSourceFile(`version: 1\n${more}columns:\n${columns}`, "shop.yaml");
  const context = { source, header: new HeaderNames(["A", "B", "C"]), lookups: LOOKUPS };
  const [a = "", b = "", c = ""] = values;
  return compileColumn(column, context)({ values: [a, b, c], numbers });
}

describe("compileColumn()", () => {
  it("reads columns and constants, and takes a default for an empty value", () => {
    assertEquals(compute("region", "b", ["", " North\u00a0"]), "North");
    assertEquals(compute("region", "{value: West}", []), "West");
    assertEquals(compute("region", "{column: A, default: West}", [" "]), "West");
    assertEquals(
      compute("region", "{column: A, default: {column: B, default: East}}", ["", "South"]),
      "South",
    );
    assertEquals(compute("region", "{column: A, default: {column: B, default: East}}", []), "East");
  });

  it("leaves ids as texts, with their defaults", () => {
    assertEquals(compute("customer_id", "A", [" a@b.example "]), "a@b.example");
    assertEquals(compute("customer_id", "{column: A, default: guest}", [""]), "guest");
    assertEquals(compute("customer_id", "A", [""]), "");
  });

  it("joins values, texts and numbers of lines", () => {
    const rule = '{join: [A, x, {line_within: A}], with: "-"}';
    assertEquals(compute("region", rule, ["#1"], { numbers: [3] }), "#1-x-3");
    assertEquals(compute("region", rule, [""], { numbers: [3] }), "");
    assertEquals(compute("region", "{join: [A, B], with: /}", ["", "2"]), "/2");
    assertEquals(
      compute("region", "{column: A, default: {join: [guest, B], with: /}}", ["", "2"]),
      "guest/2",
    );
    assertEquals(compute("region", "{join: [A, B], default: none}", []), "none");
  });

  it("computes amounts to the cent and quantities as they are", () => {
    assertEquals(compute("sale_amount", '"[A] * [B]"', ["2.555", "1"]), "2.56");
    assertEquals(compute("quantity", '"[A] / [B]"', ["3", "2"]), "1.5");
  });

  it("lets what cannot be computed through with its values", () => {
    assertEquals(compute("sale_amount", '"[A] * [B] - 1"', ["n/a", ""]), "n/a * 0 - 1");
    assertEquals(compute("sale_amount", '"[A] / [B]"', ["5", "0"]), "5 / 0");
  });

  it("writes the numbers of a column as the data contract does, and lets other texts through", () => {
    const more = 'numbers: {decimal: ",", thousands: "."}\n';
    assertEquals(compute("sale_amount", "A", ["$1.234,50"], { more }), "1234.50");
    assertEquals(compute("quantity", "A", ["1,000"], { more }), "1.000");
    assertEquals(compute("quantity", "A", ["many"], { more }), "many");
    assertEquals(compute("sale_amount", "A", ["780,00 руб."]), "780.00");
    assertEquals(compute("sale_amount", "A", ["(12.50)"]), "-12.50");
  });

  it("rounds the amounts of a column only when told to", () => {
    assertEquals(compute("sale_amount", "A", ["1.005"]), "1.005");
    const more = "round_amounts: true\n";
    assertEquals(compute("sale_amount", "A", ["1.005"], { more }), "1.01");
    assertEquals(compute("sale_amount", "A", ["1.5"], { more }), "1.5");
    assertEquals(compute("quantity", "A", ["1.005"], { more }), "1.005");
  });

  it("reads dates, and lets other texts through", () => {
    assertEquals(compute("sale_date", '{column: A, format: "M/d/yyyy"}', ["11/2/2026"]), "2026-11-02");
    assertEquals(compute("sale_date", '{column: A, format: "M/d/yyyy"}', ["11/31/2026"]), "11/31/2026");
    assertEquals(compute("sale_date", "A", ["2026-11-15T21:30:00Z"]), "2026-11-16");
  });

  it("looks values up", () => {
    const towns = "{column: A, lookup: {Москва: North, Omsk: East}}";
    assertEquals(compute("region", towns, [" МОСКВА"]), "North");
    assertEquals(compute("region", towns, ["Tver"]), "Tver");
    assertEquals(compute("region", towns.replace("}}", "}, default: West}"), ["Tver"]), "West");
    const states = "{columns: [A, B], lookup: regions.csv}";
    assertEquals(compute("region", states, ["us", "ca"]), "West");
    assertEquals(compute("region", states, ["us", "ny"]), "East");
    assertEquals(compute("region", states, ["DE", "BY"]), "DE, BY");
  });
});

describe("findLineWithins()", () => {
  it("finds them wherever they are, once", () => {
    const columns = Object.entries({
      ...RULES,
      sale_id: "{join: [A, {line_within: A}]}",
      customer_id: "{column: B, default: {join: [{line_within: C}, {line_within: A}]}}",
    }).map(([name, text]) => `  ${name}: ${text}\n`).join("");
    assertEquals(findLineWithins(parseSourceFile(`version: 1\ncolumns:\n${columns}`, "shop.yaml")), [
      "A",
      "C",
    ]);
  });
});
