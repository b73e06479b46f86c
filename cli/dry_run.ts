/** `salesflow run --dry-run`: what a run would do and why, without a lock, a database of its own or anything written. */
import { formatColumns } from "../lib/console/columns.ts";
import { terminalWidth } from "../lib/console/table.ts";
import { readDatabaseUrls } from "../lib/connection/database_urls.ts";
import { type Preview, previewPlan } from "../lib/pipeline/preview.ts";
import type { RunRecord } from "../lib/pipeline/records.ts";
import { readTableRuns } from "../lib/postgres/loaded_run.ts";
import { type PlanRequest, planStages } from "./run_plan.ts";
import { runLocation } from "./session.ts";

/** What a run would do. The names are part of the interface: docs/json.md. */
export interface DryRun extends Preview {
  /** Name of the run. */
  run_id: string;
  /** As-of date. */
  as_of: string;
  /** Where its sales come from. */
  source: RunRecord["source"];
  /** Always true, to tell this from the result of a run. */
  dry_run: true;
  /** What would determine the raw data. */
  parameters: Record<string, unknown>;
  /** Whether it also depends on the embedded tables, which are not read, because that would start the databases. */
  depends_on_tables: boolean;
  /** Folder of the run. */
  folder: string;
}

/** Finds out what a run would do. Reads configured databases if that matters, but writes nothing. */
export async function previewRun(request: PlanRequest, signal: AbortSignal): Promise<DryRun> {
  const { postgresUrl } = readDatabaseUrls();
  const { plan, input, dependsOnTables } = await planStages(
    request,
    async () => postgresUrl === undefined ? undefined : await readTableRuns({ postgresUrl, signal }),
  );
  const ingested = input.existing?.source === "ingested";
  const generates = plan.stages.includes("generate");
  return {
    run_id: request.runId,
    as_of: request.asOf,
    source: ingested ? "ingested" : "generated",
    dry_run: true,
    parameters: (generates ? input.requested : input.existing ?? input.requested).parameters,
    ...previewPlan(plan, input),
    depends_on_tables: dependsOnTables,
    folder: runLocation(request),
  };
}

/** Formats a preview for people. */
export function formatDryRun(preview: DryRun, width: number | undefined = terminalWidth()): string {
  const { run_id, as_of, source, stages, kept, parameters, depends_on_tables } = preview;
  const values = Object.entries(source === "generated" ? parameters : {}).map(([name, value]) =>
    `${name} ${typeof value === "number" ? value.toLocaleString("en") : value}`
  );
  return [
    `Run ${run_id} as of ${as_of}, ${source}${values.length > 0 ? `: ${values.join(", ")}` : ""}`,
    "These stages would run:",
    formatColumns([
      { name: "stage", cells: stages.map(({ stage }) => stage) },
      { name: "now", cells: stages.map(({ state }) => state ?? "not started") },
      { name: "why", cells: stages.map(({ reason }) => reason) },
    ], width),
    ...(kept.length > 0 ? [`Used as they are: ${kept.join(", ")}`] : []),
    ...(depends_on_tables
      ? [
        "If the embedded tables meanwhile hold another run, it would begin at load or aggregate; they were not started to look.",
      ]
      : []),
    "Nothing was written.",
  ].join("\n");
}
