import { assertEquals, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { suggestRegion } from "../../../../lib/ingest/suggest/region_rule.ts";
import { examined } from "./harness.ts";

describe("suggestRegion()", () => {
  it("lists the places with their counts, and fills in what is a region by its name", () => {
    const { value, comments } = suggestRegion(
      examined("Order,SKU,Город\n1,A,Тула\n2,A,тула\n3,A,Тула\n4,A,Юг\n"),
    );
    assertEquals(value, ["column: Город", "lookup:", "  Тула: DECIDE # 3 lines", "  Юг: South # 1 line"]);
    assertStringIncludes(comments.join(), "Write North, South, East, West in place of DECIDE");
  });

  it("looks nothing up where the export has regions", () => {
    assertEquals(suggestRegion(examined("Order,SKU,Region\n1,A,West\n2,A,w\n3,A,север\n")).value, "Region");
  });

  it("takes the column that tells places apart", () => {
    const { value, comments } = suggestRegion(
      examined("Order,SKU,State,City\n1,A,MA,Boston\n2,A,MA,Salem\n"),
    );
    assertEquals(value[0], "column: City");
    assertStringIncludes(comments.join(), "Other places: State");
  });

  it("asks when there is none", () => {
    assertEquals(suggestRegion(examined("Order,SKU\n1,A\n")).value, "DECIDE");
  });
});
