/** What verify found: one check for each boundary, and where exactly two sides differ. */
import Table from "cli-table3";
import { SalesflowError } from "../console/errors.ts";

/** How many differing rows are named in full. */
export const NAMED_DIFFERENCES = 5;

/** Two sides that must agree. */
export interface Check {
  /** Such as `rows: clean/ = shop.sales`. */
  name: string;
  left: string;
  right: string;
  ok: boolean;
}

/** One row that differs; a side is null when it lacks the row. */
export interface Difference {
  /** Which row, such as `region_product North 7`. */
  place: string;
  left: string | null;
  right: string | null;
}

/** Collects checks, then judges. */
export class Findings {
  readonly checks: Check[] = [];
  readonly #differences: { name: string; difference: Difference }[] = [];

  /** Compares two values by their text. @returns whether they agree */
  compare(name: string, left: string | number | bigint, right: string | number | bigint): boolean {
    const ok = String(left) === String(right);
    this.checks.push({ name, left: String(left), right: String(right), ok });
    return ok;
  }

  /** Names rows that differ under a check that failed. */
  differ(name: string, differences: readonly Difference[]): void {
    for (const difference of differences.slice(0, NAMED_DIFFERENCES)) {
      this.#differences.push({ name, difference });
    }
  }

  /** Appends what was found elsewhere. */
  add(other: Findings): void {
    this.checks.push(...other.checks);
    this.#differences.push(...other.#differences);
  }

  /** @throws {SalesflowError} with a table of the failed checks and the first rows that differ */
  judge(runId: string): void {
    const failed = this.checks.filter(({ ok }) => !ok);
    if (failed.length === 0) return;
    const lines = [
      `${failed.length} of ${this.checks.length} checks failed for run ${runId}`,
      differenceTable(failed),
      ...this.#differences.map(({ name, difference }) => differenceWords(name, difference)),
    ];
    throw new SalesflowError(lines.join("\n"), {
      stage: "verify",
      runId,
      evidence: {
        failed: failed.map(({ name, left, right }) => ({ check: name, left, right })),
        rows: this.#differences.map(({ name, difference }) => ({ check: name, ...difference })),
      },
      remedy:
        "The first check that failed tells the boundary: run the stage that fills its right side again " +
        "(clean, load, aggregate or transfer), then verify. If it fails again, keep the run folder and report it.",
    });
  }
}

function differenceWords(name: string, { place, left, right }: Difference): string {
  return `${name}, at ${place}:\n  left:  ${left ?? "no such row"}\n  right: ${right ?? "no such row"}`;
}

function differenceTable(checks: readonly Check[]): string {
  const table = new Table({ head: ["check", "left", "right"], style: { head: [], border: [] } });
  for (const { name, left, right } of checks) table.push([name, left, right]);
  return table.toString();
}
