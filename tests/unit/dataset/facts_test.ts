import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { SalesflowError } from "../../../lib/console/errors.ts";
import { type DatasetName, makeManifest } from "../../../lib/dataset/dataset.ts";
import {
  parseCleanFacts,
  parseGeneratedFacts,
  parseIngestedFacts,
  parseOnConflict,
  parseProductsSha256,
} from "../../../lib/dataset/facts.ts";
import { zeroReasonCounts } from "../../../lib/domain/sale.ts";
import { AS_OF, RUN_ID } from "../store/harness.ts";

function manifest(dataset: DatasetName, facts: Record<string, unknown>) {
  return makeManifest({ dataset, runId: RUN_ID, asOf: AS_OF, engine: "native", facts }, []);
}

const CLEAN = {
  rows_in: 10,
  rows_out: 7,
  duplicates: 2,
  rejected: 1,
  rejected_by_reason: { ...zeroReasonCounts(), invalid_amount: 1 },
  raw: "a",
  rejects: "b",
};

const GENERATED = {
  source: "generated",
  defects: {
    rows: 7,
    raw_rows: 10,
    duplicates: 2,
    rejected: 1,
    rejected_by_reason: { ...zeroReasonCounts(), invalid_amount: 1 },
  },
  sums: { quantity: "12", amount: "345.60" },
};

describe("parseCleanFacts()", () => {
  it("returns the facts of clean/", () =>
    assertEquals(parseCleanFacts(manifest("clean", CLEAN), "load"), CLEAN));

  const { rejects: _, ...incomplete } = CLEAN;
  const { malformed_row: __, ...incompleteReasons } = CLEAN.rejected_by_reason;
  const invalid: [name: string, facts: Record<string, unknown>][] = [
    ["a missing key", incomplete],
    ["a negative count", { ...CLEAN, duplicates: -1 }],
    ["a fraction", { ...CLEAN, rows_out: 7.5 }],
    ["a missing reason", { ...CLEAN, rejected_by_reason: incompleteReasons }],
    ["an unknown reason", { ...CLEAN, rejected_by_reason: { ...CLEAN.rejected_by_reason, late: 1 } }],
  ];
  for (const [name, facts] of invalid) {
    it(`rejects ${name}`, () => {
      const error = assertThrows(
        () => parseCleanFacts(manifest("clean", facts), "load"),
        SalesflowError,
        "Cannot parse the facts in clean/manifest.json of run test",
      );
      const { exitCode, stage, runId, remedy } = error;
      assertEquals([exitCode, stage, runId, remedy], [
        1,
        "load",
        "test",
        'Run "salesflow clean --run-id test" again.',
      ]);
    });
  }
});

describe("parseGeneratedFacts()", () => {
  it("returns the facts of generated data", () => {
    assertEquals(parseGeneratedFacts(manifest("raw", GENERATED), "load") as unknown, GENERATED);
  });

  it("accepts data of older versions, without sums and the checksum of products.csv", () => {
    const { sums: _, ...older } = GENERATED;
    assertEquals(parseGeneratedFacts(manifest("raw", older), "load") as unknown, older);
  });

  it("returns undefined for ingested data", () => {
    assertEquals(parseGeneratedFacts(manifest("raw", { source: "ingested", files: [] }), "load"), undefined);
  });

  it("rejects invalid facts", () => {
    const { defects: _, ...incomplete } = GENERATED;
    const error = assertThrows(
      () => parseGeneratedFacts(manifest("raw", incomplete), "verify"),
      SalesflowError,
      "Cannot parse the facts in raw/manifest.json of run test",
    );
    assertEquals([error.stage, error.remedy], ["verify", 'Run "salesflow generate --run-id test" again.']);
  });
});

describe("parseIngestedFacts()", () => {
  const ingested = {
    source: "ingested",
    exports: [{ name: "a.csv", bytes: 9, sha256: "d" }],
    lines: { read: 2, header: 1, records: 1, blank: 0, inside: 0 },
    excluded: { return: 1 },
    excluded_amounts: { return: "-1.00" },
  };

  it("returns the facts of ingested data; undefined for others and for those of older versions", () => {
    assertEquals(
      parseIngestedFacts(manifest("raw", { ...ingested, files: ["a.csv"] }), "verify"),
      ingested as never,
    );
    assertEquals(parseIngestedFacts(manifest("raw", GENERATED), "verify"), undefined);
    assertEquals(
      parseIngestedFacts(manifest("raw", { source: "ingested", files: ["a.csv"] }), "verify"),
      undefined,
    );
  });

  it("rejects what is incomplete", () => {
    const { excluded: _, ...incomplete } = ingested;
    const error = assertThrows(
      () => parseIngestedFacts(manifest("raw", incomplete), "verify"),
      SalesflowError,
      "Cannot parse the facts in raw/manifest.json of run test",
    );
    assertEquals([error.stage, typeof error.remedy], ["verify", "string"]);
  });
});

describe("parseProductsSha256()", () => {
  it("returns the checksum, if there is one", () => {
    assertEquals(parseProductsSha256(manifest("raw", { products_sha256: "c" })), "c");
    assertEquals(parseProductsSha256(manifest("raw", {})), undefined);
  });
});

describe("parseOnConflict()", () => {
  it("returns what the facts say, and first where they do not say", () => {
    const parse = (facts: Record<string, unknown>) => parseOnConflict(manifest("raw", facts), "clean");
    assertEquals(
      [parse({ on_conflict: "last" }), parse({ on_conflict: "first" }), parse(GENERATED), parse({})],
      ["last", "first", "first", "first"],
    );
  });

  const remedies = [["raw", "Ingest the run again."], [
    "clean",
    'Run "salesflow clean --run-id test" again.',
  ]] as const;
  for (const [dataset, remedy] of remedies) {
    it(`rejects anything else in ${dataset}/`, () => {
      const error = assertThrows(
        () => parseOnConflict(manifest(dataset, { on_conflict: "newest" }), "clean"),
        SalesflowError,
        `on_conflict in ${dataset}/manifest.json of run test is "newest", not first or last`,
      );
      assertEquals([error.exitCode, error.stage, error.runId, error.remedy], [1, "clean", "test", remedy]);
    });
  }
});
