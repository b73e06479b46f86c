import Table from "cli-table3";
import {
  listRuns,
  readRun,
  readStage,
  type RunRecord,
  type StageRecord,
} from "../../lib/pipeline/records.ts";
import { stagesOf } from "../../lib/pipeline/plan.ts";
import type { Store } from "../../lib/store/store.ts";
import { z } from "zod";
import { defineCommand } from "../command.ts";
import { commonOptions, runOptions, storeOptions } from "../options.ts";
import { startLogging, storeOf } from "../session.ts";

interface RunStatus {
  run_id: string;
  run: RunRecord | undefined;
  stages: StageRecord[];
}

async function statusOf(store: Store, runId: string): Promise<RunStatus> {
  const run = await readRun(store, runId);
  const stages: StageRecord[] = [];
  for (const stage of stagesOf(run?.source ?? "generated")) {
    const record = await readStage(store, runId, stage);
    if (record) stages.push(record);
  }
  return { run_id: runId, run, stages };
}

function plain(head: string[], rows: (string | number)[][]): string {
  const table = new Table({
    head,
    style: { head: [], border: [] },
    colAligns: head.map((name) => /rows|seconds|attempt/.test(name) ? "right" : "left"),
  });
  table.push(...rows);
  return table.toString();
}

function overview(statuses: readonly RunStatus[]): string {
  return plain(
    ["run", "as of", "source", "stage", "status", "since"],
    statuses.map(({ run_id, run, stages }) => {
      const last = stages.find(({ status }) => status !== "done") ?? stages.at(-1);
      return [
        run_id,
        run?.as_of ?? "",
        run?.source ?? "",
        last?.stage ?? "",
        last?.status ?? "",
        last?.finished_at ?? last?.started_at ?? "",
      ];
    }),
  );
}

function details({ run_id, run, stages }: RunStatus): string {
  const rows = stages.map((stage) => [
    stage.stage,
    stage.status,
    stage.engine,
    stage.attempt,
    stage.rows_in?.toLocaleString("en") ?? "",
    stage.rows_out?.toLocaleString("en") ?? "",
    stage.seconds ?? "",
    stage.started_at,
  ]);
  const errors = stages.filter(({ error }) => error).map(({ stage, error }) =>
    `${stage}: ${error!.message}${error!.remedy ? `\n  ${error!.remedy}` : ""}`
  );
  const head = ["stage", "status", "engine", "attempt", "rows in", "rows out", "seconds", "started"];
  return [`Run ${run_id}${run ? ` as of ${run.as_of}, ${run.source}` : ""}`, plain(head, rows), ...errors]
    .join("\n");
}

export default defineCommand({
  name: "status",
  summary: "Show runs and their stages",
  options: {
    runId: { ...runOptions.runId, help: "Show this run in detail", defaultText: "all runs" },
    format: {
      help: "table or json",
      placeholder: "FORMAT",
      schema: z.enum(["table", "json"], "it must be table or json").default("table"),
      defaultText: "table",
      flagOnly: true,
    },
    ...storeOptions,
    ...commonOptions,
  },
  examples: ["salesflow status", "salesflow status --run-id 2026-11-24"],
  async run(values) {
    await startLogging(values);
    const store = storeOf(values);
    const ids = values.runId ? [values.runId] : await listRuns(store);
    const statuses = await Promise.all(ids.map((id) => statusOf(store, id)));
    const known = statuses.filter(({ run, stages }) => run || stages.length > 0);
    if (values.format === "json") console.log(JSON.stringify(known, null, 2));
    else if (known.length === 0) {
      console.log(
        `There are no${values.runId ? ` records of run ${values.runId}` : " runs"} in ${store.url}`,
      );
    } else console.log(values.runId ? details(known[0]!) : overview(known));
  },
});
