import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { UsageError } from "../../../../lib/console/errors.ts";
import { parseSourceFile, type SourceFile } from "../../../../lib/ingest/source/source_file.ts";

const COLUMNS = `columns:
  sale_id: Order
  customer_id: {value: "1"}
  product_id: SKU
  quantity: Quantity
  sale_date: Date
  sale_amount: Amount
  region: Region
`;

/** Parses the least that a source file needs, with more in front. */
function parseWith(yaml: string): SourceFile {
  return parseSourceFile(`version: 1\n${yaml}${COLUMNS}`, "shop.yaml");
}

function mistakes(yaml: string): readonly string[] {
  return assertThrows(() => parseSourceFile(yaml, "shop.yaml"), UsageError).mistakes;
}

describe("parseSourceFile()", () => {
  it("has defaults", () => {
    const { columns, ...rest } = parseWith("");
    assertEquals(rest, {
      path: "shop.yaml",
      files: [],
      format: {},
      only: [],
      roundAmounts: false,
      onConflict: "first",
    });
    assertEquals(columns, {
      sale_id: { kind: "column", column: "Order" },
      customer_id: { kind: "value", text: "1" },
      product_id: { kind: "column", column: "SKU" },
      quantity: { kind: "column", column: "Quantity" },
      sale_date: { kind: "date", column: "Date", formats: [] },
      sale_amount: { kind: "column", column: "Amount" },
      region: { kind: "column", column: "Region" },
    });
  });

  it("reads every key", () => {
    const source = parseSourceFile(
      `version: 1
files: [inbox/*.csv.gz, s3://bucket/exports/]
newest_within_days: 8
format: {type: csv, encoding: windows-1251, delimiter: tab, quote: none, header: 4, sheet: Orders}
fill_down: {columns: [Financial Status], within: Name}
only:
  - {column: Financial Status, in: [" Paid ", ""], name: unpaid}
  - {column: SKU, matches: '^[A-Z]'}
currency: {column: Currency, is: rub}
returns: {column: Document, in: [Refund]}
columns:
  sale_id: {join: [Name, {line_within: Name}], with: "-"}
  customer_id: {column: Email, default: {join: [guest, Name], with: "-"}}
  product_id: {column: Lineitem sku, default: {column: Lineitem name}}
  quantity: Lineitem quantity
  sale_date: {column: Created at, formats: ["yyyy-MM-dd HH:mm:ss ZZZ", yyyy-MM-dd], time_zone: UTC}
  sale_amount: "[Lineitem price] * [Lineitem quantity] - [Lineitem discount]"
  region: {columns: [Shipping Country, Shipping Province], lookup: regions.csv, default: West}
  product_name: Lineitem name
  product_category: Vendor
numbers: {decimal: ",", thousands: "."}
round_amounts: true
on_conflict: last
`,
      "shop.yaml",
    );
    const { columns, only, ...rest } = source;
    assertEquals(rest, {
      path: "shop.yaml",
      files: ["inbox/*.csv.gz", "s3://bucket/exports/"],
      newestWithinDays: 8,
      format: {
        type: "csv",
        encoding: "windows-1251",
        delimiter: "\t",
        quote: "none",
        header: 4,
        sheet: "Orders",
      },
      fillDown: { columns: ["Financial Status"], within: "Name" },
      currency: { code: "RUB", column: "Currency" },
      returns: { column: "Document", in: ["refund"] },
      numbers: { decimal: ",", thousands: "." },
      roundAmounts: true,
      onConflict: "last",
    });
    assertEquals(only, [
      { column: "Financial Status", name: "unpaid", test: { in: ["paid", ""] } },
      { column: "SKU", name: "SKU", test: { matches: /^[A-Z]/u } },
    ]);
    assertEquals(columns.customer_id, {
      kind: "column",
      column: "Email",
      default: { kind: "join", parts: [{ text: "guest" }, { text: "Name" }], with: "-" },
    });
    assertEquals(columns.product_id, {
      kind: "column",
      column: "Lineitem sku",
      default: { kind: "column", column: "Lineitem name" },
    });
    assertEquals(columns.sale_date, {
      kind: "date",
      column: "Created at",
      formats: ["yyyy-MM-dd HH:mm:ss ZZZ", "yyyy-MM-dd"],
      timeZone: "UTC",
    });
    assertEquals(columns.region, {
      kind: "lookup",
      columns: ["Shipping Country", "Shipping Province"],
      table: { path: "regions.csv" },
      default: { kind: "value", text: "West" },
    });
    assertEquals(columns.sale_amount.kind, "expression");
  });

  it("reads every scalar as text", () => {
    const { columns, only } = parseWith(
      "only: [{column: Paid, in: [yes, No, 1.50, 007, null]}]\n",
    );
    assertEquals(only[0]?.test, { in: ["yes", "no", "1.50", "007", "null"] });
    assertEquals(columns.customer_id, { kind: "value", text: "1" });
    assertEquals(
      parseSourceFile(
        `version: 1\n${
          COLUMNS.replace("region: Region", "region: {column: C, lookup: {NO: North, Yes: 1}}")
        }`,
        "shop.yaml",
      ).columns.region,
      {
        kind: "lookup",
        columns: ["C"],
        table: { entries: new Map([["no", "North"], ["yes", "1"]]) },
      },
    );
  });

  it("says all mistakes at once, in the order of their lines", () => {
    assertEquals(
      mistakes(`version: 2
fils: [a]
format: {header: 0, typ: csv}
only:
  - {column: A}
  - {column: B, matches: '[', name: total}
columns:
  sale_id: Order
  customer_id: Customer
  product_id: SKU
  quantity: "[A] *"
  sale_date: Date
  regoin: Region
numbers: {decimal: "x", thousands: "1"}
`),
      [
        "shop.yaml line 1: version: it must be 1",
        "shop.yaml line 2: there is no key fils. Did you mean files?",
        "shop.yaml line 3: format.header: it must be at least 1",
        "shop.yaml line 3: format: there is no key typ. Did you mean type?",
        "shop.yaml line 5: only[0]: it needs either in or matches",
        "shop.yaml line 6: only[1].matches: Invalid regular expression: /[/u: Unterminated character class",
        "shop.yaml line 6: only[1].name: it must not be header, total, currency, return: those have their own meaning",
        "shop.yaml line 7: columns.sale_amount: it is missing",
        "shop.yaml line 7: columns.region: it is missing",
        "shop.yaml line 11: columns.quantity: expected a column or a number at its end (character 6 of [A] *)",
        "shop.yaml line 13: columns: there is no key regoin. Did you mean region?",
        'shop.yaml line 14: numbers.decimal: it must be "." or ","',
        "shop.yaml line 14: numbers.thousands: it must be no digit or sign",
      ],
    );
  });

  it("says what is wrong with currency, numbers and lists", () => {
    assertEquals(
      mistakes(`version: 1
files: []
newest_within_days: soon
format: {encoding: klingon, delimiter: x, type: doc}
currency: {column: C}
numbers: {decimal: ",", thousands: ","}
on_conflict: newest
${COLUMNS}`),
      [
        "shop.yaml line 2: files: it is empty",
        "shop.yaml line 3: newest_within_days: it must be a whole number",
        "shop.yaml line 4: format.type: it must be csv, xlsx, jsonl or parquet",
        "shop.yaml line 4: format.encoding: it must be an encoding, such as utf-8 or windows-1251",
        'shop.yaml line 4: format.delimiter: it must be ",", ";", tab or "|"',
        "shop.yaml line 5: currency: it must be {column: …, is: RUB} or {value: RUB}",
        "shop.yaml line 6: numbers: decimal and thousands must differ",
        "shop.yaml line 7: on_conflict: it must be first or last",
      ],
    );
  });

  it("parses the examples of the documentation", async () => {
    const text = await Deno.readTextFile(new URL("../../../../docs/sources.md", import.meta.url));
    const examples = [...text.matchAll(/```yaml\n(.*?)```/gs)].map(([, yaml]) => yaml!);
    assertEquals(examples.length > 0, true);
    for (const yaml of examples) parseSourceFile(yaml, "docs/sources.md");
  });

  it("says what is no YAML, and no source file", () => {
    assertEquals(mistakes("version: 1\nversion: 1\n"), ["shop.yaml line 2: Map keys must be unique"]);
    assertEquals(mistakes(""), [
      "shop.yaml line 1: version: it is missing",
      "shop.yaml line 1: columns: it is missing",
    ]);
    assertEquals(mistakes("- a\n"), ["shop.yaml line 1: it must be a table of keys"]);
    assertEquals(mistakes("just text\n"), ["shop.yaml line 1: it must be a table of keys"]);
  });
});
