import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { SalesflowError } from "../../../../lib/console/errors.ts";
import { sourceOfMap } from "../../../../lib/ingest/source/column_copier.ts";
import {
  checkHeader,
  findCsvHeader,
  findTableHeader,
  type HeaderSearch,
  MAX_HEADER_LINE,
  noHeaderError,
} from "../../../../lib/ingest/source/find_header.ts";
import { parseSourceFile } from "../../../../lib/ingest/source/source_file.ts";

/** Searches for the columns No, Sku and Sum. */
function search(format = "{}"): HeaderSearch {
  const source = parseSourceFile(
    `version: 1
format: ${format}
columns:
  sale_id: No
  customer_id: {value: "1"}
  product_id: Sku
  quantity: {value: "1"}
  sale_date: {value: 2026-11-24}
  sale_amount: Sum
  region: {value: North}
`,
    "shop.yaml",
  );
  return { source, copies: false, file: "a.csv" };
}

const COPY: HeaderSearch = { source: sourceOfMap({}, undefined), copies: true, file: "a.csv" };

describe("findCsvHeader()", () => {
  const cases: [what: string, text: string, format: string, found: [string[], number, number, string]][] = [
    ["commas", "No,Sku,Sum\n1,2,3\n", "{}", [["No", "Sku", "Sum"], 1, 1, ","]],
    ["semicolons", "No;Sku;Sum\n1;2;3,5\n", "{}", [["No", "Sku", "Sum"], 1, 1, ";"]],
    ["tabs", "No\tSku\tSum\n", "{}", [["No", "Sku", "Sum"], 1, 1, "\t"]],
    ["|", "No|Sku|Sum", "{}", [["No", "Sku", "Sum"], 1, 1, "|"]],
    ["CR LF and blank lines above", "\r\n \r\nNo;Sku;Sum\r\n", "{}", [["No", "Sku", "Sum"], 3, 3, ";"]],
    ["lines above", "Report, of, sales\n\nNo;Sku;Sum\n", "{}", [["No", "Sku", "Sum"], 3, 3, ";"]],
    ["quotes", '"No","Sku","Sum, total",Sum\n', "{}", [["No", "Sku", "Sum, total", "Sum"], 1, 1, ","]],
    ["line breaks", '"No";"Sku\nor so";Sku;"Sum"\n1;2;3\n', "{}", [
      ["No", "Sku\nor so", "Sku", "Sum"],
      1,
      2,
      ";",
    ]],
    ["other case and blanks", "\u00a0NO ,sku,  sum\n", "{}", [["\u00a0NO ", "sku", "  sum"], 1, 1, ","]],
    ["a stray quote above", 'Sales of "Lamp\nNo,Sku,Sum\n', "{}", [["No", "Sku", "Sum"], 2, 2, ","]],
    ["a quote that opens above", '"Sales\nNo,Sku,Sum\n1,2,3\n', "{}", [["No", "Sku", "Sum"], 2, 2, ","]],
    ["the header twice", "No,Sku,Sum\nNo,Sku,Sum\n", "{}", [["No", "Sku", "Sum"], 1, 1, ","]],
    ["its line", "No,Sku,Sum\nNo,Sku,Sum,New\n", "{header: 2}", [["No", "Sku", "Sum", "New"], 2, 2, ","]],
    ["its delimiter", "No,Sku,Sum\nNo;Sku;Sum\n", '{delimiter: ";"}', [["No", "Sku", "Sum"], 2, 2, ";"]],
    ["no quotes", '"No",Sku,Sum,No\n', "{quote: none}", [['"No"', "Sku", "Sum", "No"], 1, 1, ","]],
  ];
  for (const [what, text, format, [names, line, lastLine, delimiter]] of cases) {
    it(`finds a header with ${what}`, () => {
      const found = findCsvHeader(text, true, search(format));
      assertEquals<unknown>(
        [found.names, found.line, found.lastLine, found.dialect.delimiter],
        [names, line, lastLine, delimiter],
      );
    });
  }

  it("says what quotes mean: in tab-separated files only those around a value on one line", () => {
    const quotes = (text: string, format?: string) => findCsvHeader(text, true, search(format)).dialect.quote;
    assertEquals(quotes("No,Sku,Sum\n"), "csv");
    assertEquals(quotes("No\tSku\tSum\n"), "line");
    assertEquals(quotes("No\tSku\tSum\n", `{quote: '"'}`), "csv");
    assertEquals(quotes("No\tSku\tSum\n", "{quote: none}"), "none");
  });

  it("looks at the first lines only", () => {
    const above = (lines: number) => "x,y\n".repeat(lines) + "No,Sku,Sum\n";
    assertEquals(findCsvHeader(above(MAX_HEADER_LINE - 1), true, search()).line, MAX_HEADER_LINE);
    const error = assertThrows(() => findCsvHeader(above(MAX_HEADER_LINE), true, search()), SalesflowError);
    assertStringIncludes(error.message, "there is no column No");
    assertStringIncludes(error.remedy!, `first ${MAX_HEADER_LINE} lines`);
  });

  const failures: [what: string, text: string, search: HeaderSearch, message: string, remedy: string][] = [
    ["is empty", " \n\n", search(), "a.csv is empty: it has no header", "with a header"],
    [
      "lacks columns",
      "No,Price\n1,2\n",
      search(),
      "a.csv line 1: there is no column Sku (for product_id); there is no column Sum (for sale_amount). " +
      "Its columns are: No, Price",
      "Name the columns in shop.yaml",
    ],
    [
      "has a column twice",
      "No,Sku,Sum,sku\n",
      search(),
      "a.csv line 1: the column Sku (for product_id) occurs twice",
      "another column in shop.yaml",
    ],
    [
      "has a column of --map twice",
      "sale_id,sale_id,customer_id,product_id,quantity,sale_date,sale_amount,region\n",
      COPY,
      "the column sale_id occurs twice",
      "map another column with --map",
    ],
    ["lacks a column of --map", "a,b\n", COPY, "there is no column sale_id", "--map sale_id=order_no"],
    ["has one column", "No Sku Sum\n", search(), "there is no column", "commas, semicolons, tabs or |"],
    ["is in another encoding", "No,\ufffd\n", search(), "there is no column", "Set it in shop.yaml"],
    ["is in another encoding than said", "\ufffd,b\n", COPY, "there is no column", "Set it with --encoding"],
    [
      "has no line of that number",
      "No,Sku,Sum\n",
      search("{header: 3}"),
      "a.csv has no header on line 3",
      "header",
    ],
  ];
  for (const [what, text, search, message, remedy] of failures) {
    it(`fails when the file ${what}`, () => {
      const error = assertThrows(() => findCsvHeader(text, true, search), SalesflowError, message);
      assertStringIncludes(error.remedy!, remedy);
      assertEquals([error.exitCode, error.stage], [2, "ingest"]);
    });
  }

  it("names the line that has most of the columns, and shortens long lists", () => {
    const text = `Report\nNo,Sku,${"x".repeat(10_000)}\n1,2,3\n`;
    const error = assertThrows(() => findCsvHeader(text, true, search()), SalesflowError, "a.csv line 2:");
    assert(error.message.length < 1_000);
  });
});

describe("findTableHeader()", () => {
  const rows = [["Report"], ["", "No", "Sku", "Sum"], ["", "No", "Sku", "Sum", "New"]];
  const records = rows.map((values, index) => ({ values, line: index + 3 }));

  it("finds the first record with all columns, or that on the given line", () => {
    const { names, line, lastLine } = findTableHeader(records, search());
    assertEquals([names, line, lastLine], [rows[1]!, 4, 4]);
    assertEquals(findTableHeader(records, search("{header: 5}")).names, rows[2]!);
  });

  it("fails when there is none", () => {
    const empty = search();
    assertThrows(() => findTableHeader([], empty), SalesflowError, "a.csv is empty");
    assertThrows(
      () => findTableHeader(records, search("{header: 9}")),
      SalesflowError,
      "no header on line 9",
    );
    assertThrows(
      () => findTableHeader(records.slice(0, 1), empty),
      SalesflowError,
      "a.csv line 3: there is no",
    );
    const late = [{ values: ["No", "Sku", "Sum"], line: MAX_HEADER_LINE + 1 }];
    assertThrows(() => findTableHeader(late, empty), SalesflowError, `in its first ${MAX_HEADER_LINE} lines`);
  });
});

describe("checkHeader()", () => {
  it("accepts a header with every needed column once, and names no line where a format has none", () => {
    checkHeader({ names: ["other", "other", "sum", "SKU", "no"], line: 7 }, search());
    assertThrows(() => checkHeader({ names: [], line: 0 }, search()), SalesflowError, "a.csv: there is no");
  });
});

describe("noHeaderError()", () => {
  it("calls a file empty only when all of it was seen", () => {
    assertStringIncludes(noHeaderError("\n", true, search()).message, "is empty");
    assertStringIncludes(noHeaderError("\n", false, search()).message, "in its first 100 lines");
  });
});
