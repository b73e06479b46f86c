import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { SalesflowError } from "../../../lib/console/errors.ts";
import { detectDelimiter, findColumns } from "../../../lib/ingest/header.ts";
import { SALE_COLUMNS } from "../../../lib/domain/sale.ts";

describe("detectDelimiter()", () => {
  const cases: [header: string, delimiter: string][] = [
    ["sale_id,region", ","],
    ["sale_id;region", ";"],
    ["sale_id\tregion", "\t"],
    ["sale_id;amount, RUB;region", ";"],
    ['"a,b,c,d";region', ";"],
    ['"a;b;c";"d;e",x,y', ","],
    ['"one ""quoted"" name";region', ";"],
    ["sale_id", ","],
    ["", ","],
  ];
  for (const [header, delimiter] of cases) {
    it(`returns ${JSON.stringify(delimiter)} for ${JSON.stringify(header)}`, () => {
      assertEquals(detectDelimiter(header), delimiter);
    });
  }
});

describe("findColumns()", () => {
  const columns = [...SALE_COLUMNS];

  const valid: [what: string, header: string[], map: Record<string, string>, indexes: number[]][] = [
    ["in order", columns, {}, [0, 1, 2, 3, 4, 5, 6]],
    ["in another order", columns.toReversed(), {}, [6, 5, 4, 3, 2, 1, 0]],
    ["among others", ["x", ...columns, "x"], {}, [1, 2, 3, 4, 5, 6, 7]],
    ["in upper case with surrounding spaces", columns.map((name) => ` ${name.toUpperCase()} `), {}, [
      0,
      1,
      2,
      3,
      4,
      5,
      6,
    ]],
    ["by other names", ["Заказ №", ...columns.slice(1)], { sale_id: "заказ №" }, [0, 1, 2, 3, 4, 5, 6]],
    ["by other names when ours exist as well", ["sale_id", "x", ...columns.slice(1)], { sale_id: "X" }, [
      1,
      2,
      3,
      4,
      5,
      6,
      7,
    ]],
    ["that map to the same column", columns.slice(1), { sale_id: "customer_id" }, [0, 0, 1, 2, 3, 4, 5]],
  ];
  for (const [what, header, map, indexes] of valid) {
    it(`finds columns ${what}`, () => assertEquals(findColumns(header, map, "f.csv"), indexes));
  }

  const invalid: [what: string, header: string[], map: Record<string, string>, parts: string[]][] = [
    ["are missing, all at once", ["sale_id", "region"], {}, [
      "f.csv line 1",
      "no column customer_id",
      "no column product_id",
      "no column sale_amount",
      "Its columns are: sale_id, region",
    ]],
    ["are missing under their mapped names", columns, { sale_id: "order_no" }, [
      "no column order_no (for sale_id)",
    ]],
    ["occur twice", [...columns, "REGION"], {}, ["the column region occurs twice"]],
  ];
  for (const [what, header, map, parts] of invalid) {
    it(`throws with the columns that ${what}`, () => {
      const error = assertThrows(() => findColumns(header, map, "f.csv"), SalesflowError);
      for (const part of parts) assertStringIncludes(error.message, part);
      assertEquals(error.exitCode, 2);
      assertStringIncludes(error.remedy!, "--map");
    });
  }

  const remedies: [what: string, header: string[], remedy: string][] = [
    ["a header with bytes of another encoding", ["sale_id", "\ufffd\ufffd"], "--encoding"],
    ["a header with NULs", ["s\0a\0l\0e\0"], "--encoding"],
    ["a header without a delimiter", ["sale_id|customer_id|region"], "commas, semicolons or tabs"],
    ["duplicate columns", [...columns, "region"], "Rename one of the duplicate columns"],
  ];
  for (const [what, header, remedy] of remedies) {
    it(`has a remedy for ${what}`, () => {
      const error = assertThrows(() => findColumns(header, {}, "f.csv"), SalesflowError);
      assertStringIncludes(error.remedy!, remedy);
    });
  }

  it("escapes control characters of a header in the error", () => {
    const error = assertThrows(() => findColumns(["a\x1b[2J", "b"], {}, "f.csv"), SalesflowError);
    assertStringIncludes(error.message, "a\\u001b[2J, b");
  });

  it("truncates a header with very many columns in the error", () => {
    const header = Array.from({ length: 1_000_000 }, (_, index) => `c${index}`);
    const error = assertThrows(() => findColumns(header, {}, "f.csv"), SalesflowError);
    assertEquals(error.message.length < 2_000, true);
  });
});
