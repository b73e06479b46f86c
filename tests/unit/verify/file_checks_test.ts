import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { makeManifest, type Manifest } from "../../../lib/dataset/dataset.ts";
import { zeroReasonCounts } from "../../../lib/domain/sale.ts";
import { Findings } from "../../../lib/verify/checks.ts";
import { checkFiles, formatCounts } from "../../../lib/verify/file_checks.ts";
import type { MeasuredFiles } from "../../../lib/verify/measure_files.ts";

const AS_OF = "2026-11-24";

function manifest(dataset: Manifest["dataset"], rows: number, facts: Record<string, unknown>): Manifest {
  const part = { name: "part-00000.csv", rows, bytes: rows * 10, sha256: "0".repeat(64) };
  return makeManifest({ dataset, runId: "run", asOf: AS_OF, engine: "native", facts }, [part]);
}

/** A generated run: 10 raw rows, of which 7 are clean, 2 duplicates and 1 rejected. */
function generatedRun(): MeasuredFiles {
  const reasons = { ...zeroReasonCounts(), unknown_region: 1 };
  const raw = manifest("raw", 10, {
    source: "generated",
    defects: { rows: 7, raw_rows: 10, duplicates: 2, rejected: 1, rejected_by_reason: reasons },
    sums: { quantity: "14", amount: "70.05" },
  });
  const rejected = manifest("rejected", 1, {});
  const clean = manifest("clean", 7, {
    rows_in: 10,
    rows_out: 7,
    duplicates: 2,
    rejected: 1,
    rejected_by_reason: reasons,
    raw: raw.fingerprint,
    rejects: rejected.fingerprint,
  });
  return { raw, clean, rejected, sum: { rows: 7, quantity: 14n, cents: 7005n, checksum: 1n } };
}

function failedChecks(files: MeasuredFiles, asOf = AS_OF): string[] {
  const findings = new Findings();
  checkFiles(files, { asOf }, findings);
  return findings.checks.filter(({ ok }) => !ok).map(({ name }) => name);
}

describe("formatCounts()", () => {
  const cases: [Record<string, number>, string][] = [
    [{ malformed_row: 1, duplicates: 3, unknown_region: 0 }, "duplicates 3, malformed_row 1"],
    [{ duplicates: 0 }, "none"],
    [{}, "none"],
  ];
  for (const [counts, expected] of cases) {
    it(`formatCounts() returns ${expected} for ${JSON.stringify(counts)}`, () => {
      assertEquals(formatCounts(counts), expected);
    });
  }
});

describe("checkFiles()", () => {
  it("checkFiles() passes files that belong together, and returns the facts of clean/", () => {
    const files = generatedRun();
    const findings = new Findings();
    const facts = checkFiles(files, { asOf: AS_OF }, findings);
    assertEquals(findings.checks.filter(({ ok }) => !ok), []);
    assertEquals(facts.duplicates, 2);
  });

  it("checkFiles() does not compare ingested data with the generator's sums", () => {
    const files = generatedRun();
    files.raw.facts = { source: "ingested" };
    files.sum.cents = 1n;
    assertEquals(failedChecks(files), []);
  });

  it("checkFiles() accounts for every line of exports", () => {
    const files = generatedRun();
    const facts = {
      source: "ingested",
      exports: [],
      lines: { read: 16, header: 1, records: 13, blank: 2, inside: 0 },
      excluded: { return: 2, total: 1 },
      excluded_amounts: {},
    };
    files.raw.facts = facts;
    assertEquals(failedChecks(files), []);
    files.raw.facts = { ...facts, lines: { ...facts.lines, blank: 1 } };
    assertEquals(failedChecks(files), ["lines: read = header + records + blank + inside"]);
    files.raw.facts = { ...facts, excluded: { return: 1, total: 1 } };
    assertEquals(failedChecks(files), ["rows: records of exports = raw/ + excluded"]);
  });

  it("checkFiles() fails for an as-of date other than the run's", () => {
    assertEquals(failedChecks(generatedRun(), "2026-11-17"), [
      "as of: the run = raw/manifest.json",
      "as of: the run = clean/manifest.json",
      "as of: the run = rejected/manifest.json",
    ]);
  });

  const changes: [string, (files: MeasuredFiles) => void, string[]][] = [
    ["a lost row", ({ sum }) => sum.rows--, [
      "rows: raw/ = clean/ + duplicates + rejected/",
      "rows: generated sales = clean/",
    ]],
    ["an extra kopeck", ({ sum }) => sum.cents++, ["sale_amount: generated sales = clean/"]],
    ["an extra item", ({ sum }) => sum.quantity++, ["quantity: generated sales = clean/"]],
    ["other raw data", ({ raw }) => raw.fingerprint = "x", ["fingerprint: raw/ = the input of clean/"]],
    ["other rejected data", ({ rejected }) => rejected.fingerprint = "x", [
      "fingerprint: rejected/ = the rejects of clean/",
    ]],
    ["a defect under another reason", ({ clean }) => {
      clean.facts.rejected_by_reason = { ...zeroReasonCounts(), invalid_date: 1 };
    }, ["rows: injected defects = found by clean"]],
    ["reasons that do not add up", ({ clean }) => {
      clean.facts.rejected_by_reason = { ...zeroReasonCounts(), unknown_region: 2 };
    }, ["rows: rejected/ = sum over reasons", "rows: injected defects = found by clean"]],
  ];
  for (const [name, change, expected] of changes) {
    it(`checkFiles() fails for ${name}`, () => {
      const files = generatedRun();
      change(files);
      assertEquals(failedChecks(files), expected);
    });
  }
});
