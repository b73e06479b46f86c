import Table from "cli-table3";
import { SalesflowError } from "../../lib/console/errors.ts";
import {
  listRuns,
  readRun,
  readStage,
  runNotFound,
  type RunRecord,
  type StageRecord,
} from "../../lib/pipeline/records.ts";
import { computeStageStates, stageOrder, type StageState } from "../../lib/pipeline/plan.ts";
import type { StageName } from "../../lib/pipeline/stage.ts";
import type { Store } from "../../lib/store/store.ts";
import { z } from "zod";
import { type AnyCommand, defineCommand } from "../command.ts";
import { commonOptions, runOptions, storeOptions } from "../options.ts";
import { openSelectedStore, startLogging } from "../session.ts";

/** A stage record, with a status that also considers whether the stage was killed or its input is newer. */
type Stage = Omit<StageRecord, "status"> & { status: StageState | "interrupted" };

interface RunStatus {
  run_id: string;
  run: RunRecord | undefined;
  stages: Stage[];
  /** Why the records could not be read. */
  error?: string;
}

async function readRunStatus(store: Store, runId: string): Promise<RunStatus> {
  const run = await readRun(store, runId);
  const order = stageOrder(run?.source ?? "generated");
  const records = new Map<StageName, StageRecord>();
  for (const stage of order) {
    const record = await readStage(store, runId, stage);
    if (record) records.set(stage, record);
  }
  const states = computeStageStates(order, records);
  const running = [...records.values()].some(({ status, engine }) =>
    status === "running" && engine === "native"
  );
  const idle = running && await isIdle(store, runId);
  const stages = [...records].map(([stage, record]): Stage => {
    const killed = idle && record.status === "running" && record.engine === "native";
    return { ...record, status: killed ? "interrupted" : states.get(stage)! };
  });
  return { run_id: runId, run, stages };
}

/** Returns whether no command is working on the run; false if the locks cannot be checked. */
async function isIdle(store: Store, runId: string): Promise<boolean> {
  const folder = `runs/${runId}`;
  try {
    const locks = (await store.list(folder)).filter((name) => name.startsWith(".lock-"));
    for (const name of locks) {
      const lock = await store.lock(`${folder}/${name}`);
      if (!lock) return false;
      await lock.release();
    }
    return true;
  } catch {
    return false;
  }
}

/** Returns the status of a run. Unreadable records become its error, so that the other runs are still shown. */
async function tryReadRunStatus(store: Store, runId: string): Promise<RunStatus> {
  try {
    return await readRunStatus(store, runId);
  } catch (error) {
    if (!(error instanceof SalesflowError)) throw error;
    return { run_id: runId, run: undefined, stages: [], error: error.message };
  }
}

function formatTable(head: string[], rows: (string | number)[][]): string {
  const table = new Table({
    head,
    style: { head: [], border: [] },
    colAligns: head.map((name) => /rows|seconds|attempt/.test(name) ? "right" : "left"),
  });
  table.push(...rows);
  return table.toString();
}

function formatOverview(statuses: readonly RunStatus[]): string {
  return formatTable(
    ["run", "as of", "source", "stage", "status", "since"],
    statuses.map(({ run_id, run, stages, error }) => {
      if (error) return [run_id, "", "", "", error, ""];
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

function formatDetails({ run_id, run, stages }: RunStatus): string {
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
  return [
    `Run ${run_id}${run ? ` as of ${run.as_of}, ${run.source}` : ""}`,
    formatTable(head, rows),
    ...errors,
  ]
    .join("\n");
}

/** `salesflow status`. */
const command: AnyCommand = defineCommand({
  name: "status",
  summary: "Show runs and their stages",
  options: {
    runId: { ...runOptions.runId, help: "Show the details of a run", defaultText: "all runs" },
    format: {
      help: "Output format: table or json",
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
    const store = openSelectedStore(values);
    if (values.runId) {
      const status = await readRunStatus(store, values.runId);
      if (!status.run && status.stages.length === 0) throw runNotFound(store, values.runId);
      console.log(values.format === "json" ? JSON.stringify([status], null, 2) : formatDetails(status));
      return;
    }
    const all = await Promise.all((await listRuns(store)).map((id) => tryReadRunStatus(store, id)));
    const known = all.filter(({ run, stages, error }) => run || error || stages.length > 0);
    if (values.format === "json") console.log(JSON.stringify(known, null, 2));
    else console.log(known.length === 0 ? `There are no runs in ${store.url}` : formatOverview(known));
  },
});
export default command;
