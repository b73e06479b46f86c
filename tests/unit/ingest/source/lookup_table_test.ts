import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { UsageError } from "../../../../lib/console/errors.ts";
import { LookupTable } from "../../../../lib/ingest/source/lookup_table.ts";

describe("LookupTable", () => {
  it("compares without case and surrounding blanks", () => {
    const table = LookupTable.fromEntries(new Map([["москва", "North"], ["kazan", "East"]]));
    assertEquals([" МОСКВА", "Kazan\u00a0", "Omsk", ""].map((value) => table.find([value])), [
      "North",
      "East",
      undefined,
      undefined,
    ]);
  });

  it("reads a file with any delimiter; the first line that fits counts, an empty cell fits everything", () => {
    const table = LookupTable.parse(
      '\ufeffcountry;state;region\r\nUS;"CA";West\r\nUS;;East\r\n;North;North\r\n\r\nus;ny;South\r\n',
      2,
      "regions.csv",
    );
    const pairs = [["us", "ca"], ["US", "NY"], ["US", ""], ["DE", "North"], ["DE", "South"]];
    assertEquals(pairs.map((pair) => table.find(pair)), ["West", "East", "East", "North", undefined]);
    assertEquals(pairs.map((pair) => table.find(pair)), ["West", "East", "East", "North", undefined]);
  });

  it("lacks what has no result yet", () => {
    const table = LookupTable.parse("town,region\nOmsk,\nKazan,East\n", 1, "towns.csv");
    assertEquals([table.find(["Omsk"]), table.find(["Kazan"])], [undefined, "East"]);
  });

  it("names the lines of one key with two results, but not of keys that only fit the same, or have one result", () => {
    const text =
      "country,state,region\nUS,CA,West\nUS,,East\n us ,ca,North\nDE,,North\nde,,north\nFR,,DECIDE\n";
    const { mistakes } = assertThrows(() => LookupTable.parse(text, 2, "regions.csv"), UsageError);
    assertEquals(mistakes, [
      "regions.csv lines 2 and 4: us, ca has two results",
      "regions.csv line 7: FR,  is not decided",
    ]);
  });

  it("names the lines of a file that are no lines of a table", () => {
    const { mistakes } = assertThrows(
      () => LookupTable.parse("a,b,region\nx,y,North\nz,South\n\n1,2,3,4\n", 2, "regions.csv"),
      UsageError,
    );
    assertEquals(mistakes, [
      "regions.csv line 3: it has 2 values, not 3",
      "regions.csv line 5: it has 4 values, not 3",
    ]);
    for (const text of ["", "a,region\n"]) {
      assertEquals(assertThrows(() => LookupTable.parse(text, 1, "r.csv"), UsageError).mistakes, [
        "r.csv: there are no lines below its header",
      ]);
    }
  });
});
