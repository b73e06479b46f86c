import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { relayWarnings, type Warning } from "../../../lib/console/log.ts";
import type { FileSummary } from "../../../lib/ingest/chunks/map_file.ts";
import { describeExclusions, logWarnings } from "../../../lib/ingest/warnings.ts";
import { sourceOfMap } from "../../../lib/ingest/source/column_copier.ts";

function warn(summary: Partial<FileSummary>): Warning[] {
  const warnings: Warning[] = [];
  relayWarnings((warning) => void warnings.push(warning));
  const counts = { records: 9, blank: 1, inside: 1 };
  logWarnings("in/{a}.csv", { counts, remarks: [], hasInvalidBytes: false, ...summary }, "utf-8", {
    copies: false,
    source: { ...sourceOfMap({}, undefined), path: "shop.yaml" },
  });
  return warnings;
}

const lone = (line: number) => ({ kind: "lone" as const, line, lastLine: line });
const spans = (line: number, lastLine: number) => ({ kind: "spans" as const, line, lastLine });

describe("describeExclusions()", () => {
  it("says lines and amount of each rule", () => {
    const excluded = new Map([
      ["unpaid", { lines: 2, cents: 123_450n, firstLine: 3 }],
      ["return", { lines: 1, cents: -5n, firstLine: 9 }],
    ]);
    assertEquals(describeExclusions(excluded), [
      "excluded as unpaid: 2 lines, 1\u00a0234.50",
      "excluded as return: 1 line, -0.05",
    ]);
  });
});

describe("logWarnings()", () => {
  it("says nothing about an ordinary file", () => assertEquals(warn({}), []));

  it("names the lines of quoted values with line breaks, and the way out", () => {
    assertEquals(warn({ remarks: [spans(101, 20_001), spans(20_005, 20_006)] }), [{
      part: "ingest",
      text: "in/{a}.csv: quoted values with line breaks on lines 101 to 20001, 20005 to 20006. " +
        "If a stray quote joined these lines, say format: {quote: none} in a source file",
    }]);
  });

  it("names the lines of quotes without an end, but not all of many", () => {
    const text = (lines: string) =>
      `in/{a}.csv: a quote without an end was read as a character on lines ${lines}`;
    assertEquals(warn({ remarks: [2, 3, 4].map(lone) }), [{ part: "ingest", text: text("2, 3, 4") }]);
    assertEquals(warn({ remarks: [2, 3, 4, 5, 6].map(lone) }), [{
      part: "ingest",
      text: text("2, 3, 4 and 2 more"),
    }]);
  });

  it("says that bytes are invalid, and where the encoding is set", () => {
    assertEquals(warn({ hasInvalidBytes: true }).map(({ text }) => text), [
      "in/{a}.csv holds bytes that are invalid in utf-8; set its encoding with format: {encoding: …} in shop.yaml",
    ]);
  });

  it("warns of each kind once", () => {
    assertEquals(warn({ remarks: [lone(9), spans(2, 3), lone(4)], hasInvalidBytes: true }).length, 3);
  });
});
