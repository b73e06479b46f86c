import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { REASONS } from "../../../lib/domain/sale.ts";
import { STAGES } from "../../../lib/pipeline/stage.ts";
import { productName, REASON_LABELS, STAGE_LABELS } from "../../../lib/report/labels.ts";

describe("productName()", () => {
  it("returns the name", () => assertEquals(productName({ name: "Chair", productId: 7n }), "Chair"));

  it("returns the number when there is no name", () => {
    assertEquals(productName({ name: undefined, productId: 7n }), "product 7");
    const productId = 9223372036854775807n;
    assertEquals(productName({ name: undefined, productId }), "product 9223372036854775807");
  });
});

describe("REASON_LABELS", () => {
  it("has distinct labels for all reasons", () => {
    assertEquals(new Set(REASONS.map((reason) => REASON_LABELS[reason])).size, REASONS.length);
  });
});

describe("STAGE_LABELS", () => {
  it("has labels for all stages that the report lists", () => {
    const stages = [...STAGES, "ingest"].filter((stage) => stage !== "report");
    assertEquals(Object.keys(STAGE_LABELS).toSorted(), stages.toSorted());
  });
});
