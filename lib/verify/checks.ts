/** Results of verify: one check per comparison, and the rows in which two sides differ. */
import Table from "cli-table3";
import { SalesflowError } from "../console/errors.ts";

/** Most differing rows that one check reports. */
export const MAX_DIFFERENCES = 5;

/** A comparison of two values that must be equal. */
export interface Check {
  /** Such as `rows: clean/ = shop.sales`. */
  name: string;
  /** Value of the left side. */
  left: string;
  /** Value of the right side. */
  right: string;
  /** Whether both are equal. */
  ok: boolean;
}

/** A row that differs; a side is null when it does not have the row. */
export interface Difference {
  /** Key of the row, such as `region_product North 7`. */
  place: string;
  /** Values on the left side. */
  left: string | null;
  /** Values on the right side. */
  right: string | null;
}

/** Collects checks, and throws when any failed. */
export class Findings {
  /** All checks, passed and failed. */
  readonly checks: Check[] = [];
  readonly #differences: { name: string; difference: Difference }[] = [];

  /** Adds a check of two values, compared as text. @returns whether they are equal */
  compare(name: string, left: string | number | bigint, right: string | number | bigint): boolean {
    const ok = String(left) === String(right);
    this.checks.push({ name, left: String(left), right: String(right), ok });
    return ok;
  }

  /** Adds the first differing rows of a failed check. */
  addDifferences(name: string, differences: readonly Difference[]): void {
    for (const difference of differences.slice(0, MAX_DIFFERENCES)) {
      this.#differences.push({ name, difference });
    }
  }

  /** Appends the results of another instance. */
  merge(other: Findings): void {
    this.checks.push(...other.checks);
    this.#differences.push(...other.#differences);
  }

  /** Throws if any check failed. @throws {SalesflowError} with a table of the failed checks and the first differing rows */
  throwIfFailed(runId: string): void {
    const failed = this.checks.filter(({ ok }) => !ok);
    if (failed.length === 0) return;
    const lines = [
      `${failed.length} of ${this.checks.length} checks failed for run ${runId}`,
      formatTable(failed),
      ...this.#differences.map(({ name, difference }) => formatDifference(name, difference)),
    ];
    throw new SalesflowError(lines.join("\n"), {
      stage: "verify",
      runId,
      evidence: {
        failed: failed.map(({ name, left, right }) => ({ check: name, left, right })),
        rows: this.#differences.map(({ name, difference }) => ({ check: name, ...difference })),
      },
      remedy:
        "The first failed check shows where the data diverged: run the stage that writes its right side again " +
        "(clean, load, aggregate or transfer), then verify. If it fails again, keep the run folder and report the problem.",
    });
  }
}

function formatDifference(name: string, { place, left, right }: Difference): string {
  return `${name}, at ${place}:\n  left:  ${left ?? "no such row"}\n  right: ${right ?? "no such row"}`;
}

function formatTable(checks: readonly Check[]): string {
  const table = new Table({ head: ["check", "left", "right"], style: { head: [], border: [] } });
  for (const { name, left, right } of checks) table.push([name, left, right]);
  return table.toString();
}
