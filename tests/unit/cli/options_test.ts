import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { join } from "node:path";
import { fraction, runOptions, storeOptions, wholeNumber } from "../../../cli/options.ts";

describe("wholeNumber()", () => {
  const cases: [text: string, value: number | undefined][] = [
    ["0", 0],
    ["007", 7],
    ["9007199254740991", 9_007_199_254_740_991],
    ["9007199254740992", undefined],
    ["1_000_000", 1_000_000],
    ["1,000,000", 1_000_000],
    ["12,000", 12_000],
    ["1,5", undefined],
    ["1000,000", undefined],
    ["1,000,00", undefined],
    [",000", undefined],
    ["_1", undefined],
    ["", undefined],
    [" 1", undefined],
    ["+1", undefined],
    ["0x10", undefined],
    ["1e3", undefined],
    ["∞", undefined],
    ["9".repeat(400), undefined],
  ];
  for (const [text, value] of cases) {
    it(`${value === undefined ? "rejects" : "parses"} ${JSON.stringify(text.slice(0, 20))}`, () => {
      assertEquals(wholeNumber(0, Number.MAX_SAFE_INTEGER).safeParse(text).data, value);
    });
  }
});

describe("fraction()", () => {
  const cases: [text: string, value: number | undefined][] = [
    ["0", 0],
    ["1", 1],
    [".5", 0.5],
    ["0.29", 0.29],
    ["1.", 1],
    ["1.01", undefined],
    ["-0", undefined],
    ["50%", undefined],
    ["0,5", undefined],
    [".", undefined],
    ["NaN", undefined],
  ];
  for (const [text, value] of cases) {
    it(`${value === undefined ? "rejects" : "parses"} ${text}`, () => {
      assertEquals(fraction(0, 1).safeParse(text).data, value);
    });
  }
});

describe("storeOptions", () => {
  it("resolves folders against the working directory, and leaves URLs unchanged", () => {
    const { home, store } = storeOptions;
    assertEquals(home.schema.parse("data"), join(Deno.cwd(), "data"));
    assertEquals(store.schema.parse("data"), join(Deno.cwd(), "data"));
    for (const url of ["s3://bucket/prefix", "file:///data"]) assertEquals(store.schema.parse(url), url);
    assertEquals(store.schema.parse(undefined), undefined);
    assert(!home.schema.safeParse("").success && !store.schema.safeParse("").success);
  });
});

describe("runOptions", () => {
  it("accepts run ids that are safe as folder names only", () => {
    for (const id of ["2026-11-24", "a.b_c", "x".repeat(63)]) {
      assertEquals(runOptions.runId.schema.parse(id), id);
    }
    for (const id of ["", ".", "..", "a..b", "../x", "a/b", "A", "x".repeat(64)]) {
      assert(!runOptions.runId.schema.safeParse(id).success, id);
    }
  });

  it("accepts existing dates only", () => {
    assertEquals(runOptions.asOf.schema.parse("2024-02-29"), "2024-02-29");
    for (const date of ["2026-02-29", "24.11.2026", "today"]) {
      assert(!runOptions.asOf.schema.safeParse(date).success, date);
    }
  });
});
