/** report: one HTML file that a manager can read. */
import type { StageContext, StageResult } from "../pipeline/stage.ts";
import { readFigures } from "./read_figures.ts";

/** Path of a run's report in the store. */
export function reportPath(runId: string): string {
  return `runs/${runId}/report/report.html`;
}

/**
 * Writes the report of a run that is loaded and aggregated; the file is replaced in one step.
 *
 * @throws {SalesflowError} when the tables hold another run, or none
 */
export async function report(context: StageContext): Promise<StageResult> {
  const { runId, store } = context;
  // The chart library loads while the database works, and not at all for commands that draw nothing.
  const [figures, { page }] = await Promise.all([readFigures(context), import("./page.ts")]);
  const sales = Number(figures.total?.sales ?? 0n);
  context.progress(0, sales);
  const text = page(figures);
  const path = reportPath(runId);
  context.signal.throwIfAborted();
  await store.writeText(path, text);
  context.progress(sales, sales);
  return { rowsIn: sales, rowsOut: sales, facts: { path, bytes: new TextEncoder().encode(text).length } };
}
