/** report: writes the sales report, a single HTML file for managers. */
import type { StageContext, StageResult } from "../pipeline/stage.ts";
import { readReportData } from "./read_report_data.ts";

/** Returns the path of a run's report in the store. */
export function reportPath(runId: string): string {
  return `runs/${runId}/report/report.html`;
}

/**
 * Writes the report of a loaded and aggregated run. Replaces the file atomically.
 *
 * @throws {SalesflowError} when the tables hold another run, or none
 */
export async function report(context: StageContext): Promise<StageResult> {
  const { runId, store } = context;
  // Imported on demand: the chart library loads while the queries run, and not at all for other commands.
  const [figures, { renderPage }] = await Promise.all([readReportData(context), import("./page.ts")]);
  const sales = Number(figures.total?.sales ?? 0n);
  context.progress(0, sales);
  const text = renderPage(figures);
  const path = reportPath(runId);
  context.signal.throwIfAborted();
  await store.writeText(path, text);
  context.progress(sales, sales);
  const bytes = new TextEncoder().encode(text).length;
  const summary = `wrote ${path} (${Math.ceil(bytes / 1000).toLocaleString("en")} kB)`;
  return { rowsIn: sales, rowsOut: sales, facts: { path, bytes }, summary };
}
