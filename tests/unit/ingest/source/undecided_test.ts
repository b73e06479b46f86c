import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { LineCounter, parseDocument } from "yaml";
import { findUndecided, isUndecided } from "../../../../lib/ingest/source/undecided.ts";

function find(yaml: string): string[] {
  const lines = new LineCounter();
  return findUndecided(parseDocument(yaml, { lineCounter: lines }), lines, "shop.yaml");
}

describe("findUndecided()", () => {
  it("names lines, keys and questions, but not comments and other words", () => {
    assertEquals(
      find(
        'columns:\n  region: {lookup: {"Tula": DECIDE, Omsk: North}} # DECIDE: where?\n  sale_date: {format: "DECIDE: d or M"}\n  name: DECIDED\n',
      ),
      [
        "shop.yaml line 2: columns, region, lookup, Tula is not decided",
        "shop.yaml line 3: columns, sale_date, format is not decided: d or M",
      ],
    );
  });

  it("names ten, and counts the others", () => {
    const found = find(Array.from({ length: 12 }, (_, index) => `k${index}: DECIDE\n`).join(""));
    assertEquals([found.length, found[10]], [11, "shop.yaml: 2 more are not decided"]);
    assert(isUndecided(" DECIDE: x") && !isUndecided("DECIDED"));
  });
});
