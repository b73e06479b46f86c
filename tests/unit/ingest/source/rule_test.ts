import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { UsageError } from "../../../../lib/console/errors.ts";
import { RULE_KEYS, ruleSchema } from "../../../../lib/ingest/source/rule.ts";
import { parseSourceFile } from "../../../../lib/ingest/source/source_file.ts";

const COLUMNS = `columns:
  sale_id: Order
  customer_id: {value: "1"}
  product_id: SKU
  quantity: Quantity
  sale_date: Date
  sale_amount: Amount
  region: Region
`;

function mistakes(yaml: string): readonly string[] {
  return assertThrows(() => parseSourceFile(yaml, "shop.yaml"), UsageError).mistakes;
}

/** Returns what is wrong with one column's rule. */
function ruleMistakes(column: string, rule: string): readonly string[] {
  const yaml = `version: 1\n${COLUMNS.replace(new RegExp(`  ${column}: .*`), `  ${column}: ${rule}`)}`;
  const line = yaml.slice(0, yaml.indexOf(`  ${column}:`)).split("\n").length;
  const prefix = `shop.yaml line ${line}: columns.${column}`;
  return mistakes(yaml).map((mistake) => mistake.startsWith(prefix) ? mistake.slice(prefix.length) : mistake);
}

describe("ruleSchema()", () => {
  it("refuses a lookup that has one key twice, but for case, with two results", () => {
    assertEquals(ruleMistakes("region", "{column: Town, lookup: {Omsk: East, omsk: West}}"), [
      ": the lookup has omsk twice, with East and with West; case does not count",
    ]);
    assertEquals(
      ruleSchema("region").safeParse({ column: "Town", lookup: { Omsk: "East", omsk: "east" } }).success,
      true,
    );
  });

  it("reads a name as what the column needs", () => {
    assertEquals(ruleSchema("region").parse(" Region "), { kind: "column", column: "Region" });
    assertEquals(ruleSchema("sale_date").parse("Date"), { kind: "date", column: "Date", formats: [] });
    assertEquals(ruleSchema("product_id").parse("[SKU]"), { kind: "column", column: "[SKU]" });
  });

  it("knows its keys, and no others", () => {
    const { error } = ruleSchema("region").safeParse({ nonsense: "1" });
    assertEquals(JSON.stringify(error?.issues).includes("nonsense"), true);
    const known = ruleSchema("region").safeParse(Object.fromEntries(RULE_KEYS.map((key) => [key, "x"])));
    assertEquals(JSON.stringify(known.error?.issues).includes("unrecognized_keys"), false);
  });

  it("does not take the name of a column for an expression", () => {
    const yaml = `version: 1\n${COLUMNS.replace("Amount", '"Price [RUB]"').replace(": SKU", ': "[SKU]"')}`;
    const { columns } = parseSourceFile(yaml, "shop.yaml");
    assertEquals([columns.sale_amount, columns.product_id], [
      { kind: "column", column: "Price [RUB]" },
      { kind: "column", column: "[SKU]" },
    ]);
  });

  it("says what is wrong with the rule of a column", () => {
    const cases: [column: string, rule: string, mistakes: string[]][] = [
      ["region", "{}", [": it needs a column, a value or join"]],
      ["region", "{column: A, value: B}", [": value and column or columns exclude each other"]],
      ["region", "{column: A, columns: [B], lookup: x.csv}", [": column and columns exclude each other"]],
      ["region", "{columns: [A, B]}", [": columns needs a lookup; to put texts together, use join"]],
      ["region", "{columns: [A, B], lookup: {x: North}}", [": a lookup of several columns must be a file"]],
      ["region", "{value: A, default: B}", [": default has no meaning beside value"]],
      ["region", "{column: A, format: yyyy-MM-dd}", [": format, formats and time_zone are for sale_date"]],
      ["region", "{column: A, default: {lookup: x.csv}}", [".default: it needs a column, a value or join"]],
      ["region", "''", [": it is empty"]],
      ["region", "[A]", [": it must be a text or a table of keys"]],
      [
        "sale_id",
        "{join: [{line: A}]}",
        [".join[0].line_within: it is missing", ".join[0]: there is no key line. There are: line_within"],
      ],
      [
        "sale_date",
        "{column: A, format: DD.MM.YYYY}",
        [".format: DD is none of Luxon's tokens; put text into quotes: 'DD'"],
      ],
      [
        "sale_date",
        "{column: A, time_zone: Moscow}",
        [".time_zone: it must be a zone of the IANA database, such as Europe/Moscow"],
      ],
      ["sale_amount", '"[Price * 2"', [": [ has no ] (character 1 of [Price * 2)"]],
    ];
    for (const [column, rule, expected] of cases) assertEquals(ruleMistakes(column, rule), expected, rule);
  });
});
