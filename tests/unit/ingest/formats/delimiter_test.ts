import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { detectDelimiter } from "../../../../lib/ingest/formats/delimiter.ts";

describe("detectDelimiter()", () => {
  const cases: [header: string, delimiter: string][] = [
    ["sale_id,region", ","],
    ["sale_id;region", ";"],
    ["sale_id\tregion", "\t"],
    ["sale_id;amount, RUB;region", ";"],
    ['"a,b,c,d";region', ";"],
    ['"a;b;c";"d;e",x,y', ","],
    ['"one ""quoted"" name";region', ";"],
    ["sale_id|region", "|"],
    ["sale_id", ","],
    ["", ","],
  ];
  for (const [header, delimiter] of cases) {
    it(`returns ${JSON.stringify(delimiter)} for ${JSON.stringify(header)}`, () => {
      assertEquals(detectDelimiter(header), delimiter);
    });
  }
});
