import { type Column, formatColumns } from "../../lib/console/columns.ts";
import { SalesflowError } from "../../lib/console/errors.ts";
import { asTyped } from "../../lib/console/invocation.ts";
import { terminalWidth } from "../../lib/console/table.ts";
import {
  listRuns,
  readRun,
  readStages,
  runNotFound,
  type RunRecord,
  type StageRecord,
} from "../../lib/pipeline/records.ts";
import { computeStageStates, orderStages, type StageState } from "../../lib/pipeline/plan.ts";
import type { Store } from "../../lib/store/store.ts";
import { type AnyCommand, defineCommand } from "../command.ts";
import { commonOptions, jsonOption, runOptions, storeOptions } from "../options.ts";
import { openSelectedStore, startLogging } from "../session.ts";

/** A stage record, with a status that also considers whether the stage was killed or its input is newer. */
type Stage = Omit<StageRecord, "status"> & { status: StageState | "interrupted" };

/** Status of a run, as docs/json.md describes it. */
interface RunStatus {
  run_id: string;
  run: RunRecord | null;
  stages: Stage[];
  /** Why the records could not be read; null when they could. */
  error: string | null;
}

async function readRunStatus(store: Store, runId: string): Promise<RunStatus> {
  const run = await readRun(store, runId);
  const { order, records } = orderStages(run, await readStages(store, runId));
  const states = computeStageStates(order, records);
  const running = [...records.values()].some(({ status, engine }) =>
    status === "running" && engine === "native"
  );
  const idle = running && await isIdle(store, runId);
  const stages = [...records].map(([stage, record]): Stage => {
    const killed = idle && record.status === "running" && record.engine === "native";
    return { ...record, status: killed ? "interrupted" : states.get(stage)! };
  });
  return { run_id: runId, run: run ?? null, stages, error: null };
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
    return { run_id: runId, run: null, stages: [], error: error.message };
  }
}

/** Formats a timestamp of a record as `2026-11-24 09:45 UTC`. */
function formatTime(timestamp: string): string {
  return `${timestamp.slice(0, "2026-11-24T09:45".length).replace("T", " ")} UTC`;
}

function formatOverview(statuses: readonly RunStatus[], width: number | undefined): string {
  const rows = statuses.map(({ run_id, run, stages, error }) => {
    const last = stages.find(({ status }) => status !== "done") ?? stages.at(-1);
    const since = last?.finished_at ?? last?.started_at;
    return {
      run_id,
      run,
      stage: last?.stage ?? "",
      status: error === null ? last?.status ?? "" : "unreadable",
      since: since === undefined ? "" : formatTime(since),
    };
  });
  const table = formatColumns([
    { name: "run", cells: rows.map(({ run_id }) => run_id) },
    { name: "as of", optional: 1, cells: rows.map(({ run }) => run?.as_of ?? "") },
    { name: "source", optional: 2, cells: rows.map(({ run }) => run?.source ?? "") },
    { name: "stage", cells: rows.map(({ stage }) => stage) },
    { name: "status", cells: rows.map(({ status }) => status) },
    { name: "since", right: true, cells: rows.map(({ since }) => since) },
  ], width);
  const errors = statuses.filter(({ error }) => error !== null);
  return [table, ...errors.map(({ run_id, error }) => `${run_id}: ${error}`)].join("\n");
}

function formatDetails({ run_id, run, stages }: RunStatus, width: number | undefined): string {
  // Stages without rows, such as migrate, have 0.
  const number = (value: number | null) => value ? value.toLocaleString("en") : "";
  // Columns that say the usual of all stages are left out.
  const attempts: Column[] = stages.some(({ attempt }) => attempt > 1)
    ? [{ name: "attempt", right: true, optional: 3, cells: stages.map(({ attempt }) => `${attempt}`) }]
    : [];
  const engines: Column[] = stages.some(({ engine }) => engine !== "native")
    ? [{ name: "engine", optional: 2, cells: stages.map(({ engine }) => engine) }]
    : [];
  const table = formatColumns([
    { name: "stage", cells: stages.map(({ stage }) => stage) },
    { name: "status", cells: stages.map(({ status }) => status) },
    ...engines,
    ...attempts,
    { name: "rows in", right: true, cells: stages.map(({ rows_in }) => number(rows_in)) },
    { name: "rows out", right: true, cells: stages.map(({ rows_out }) => number(rows_out)) },
    {
      name: "time",
      right: true,
      cells: stages.map(({ seconds }) => seconds === null ? "" : `${seconds.toFixed(2)} s`),
    },
    {
      name: "started",
      right: true,
      optional: 1,
      cells: stages.map(({ started_at }) => formatTime(started_at)),
    },
  ], width);
  const errors = stages.filter(({ error }) => error).map(({ stage, error }) =>
    `${stage}: ${error!.message}${error!.remedy ? `\n  ${asTyped(error!.remedy)}` : ""}`
  );
  return [`Run ${run_id}${run ? ` as of ${run.as_of}, ${run.source}` : ""}`, table, ...errors].join("\n");
}

/** `salesflow status`. */
const command: AnyCommand = defineCommand({
  name: "status",
  summary: "Show runs and their stages",
  options: {
    runId: { ...runOptions.runId, help: "Show the details of a run", defaultText: "all runs" },
    ...jsonOption,
    ...storeOptions,
    ...commonOptions,
  },
  examples: ["salesflow status", "salesflow status --run-id 2026-11-24", "salesflow status --json"],
  async run(values) {
    await startLogging(values);
    const store = openSelectedStore(values);
    if (values.runId) {
      const status = await readRunStatus(store, values.runId);
      if (!status.run && status.stages.length === 0) throw runNotFound(store, values.runId);
      console.log(
        values.json ? JSON.stringify([status], null, 2) : formatDetails(status, terminalWidth()),
      );
      return;
    }
    const all = await Promise.all((await listRuns(store)).map((id) => tryReadRunStatus(store, id)));
    const known = all.filter(({ run, stages, error }) => run || error || stages.length > 0);
    if (values.json) console.log(JSON.stringify(known, null, 2));
    else if (known.length === 0) console.log(`There are no runs in ${store.url}`);
    else console.log(formatOverview(known, terminalWidth()));
  },
});
export default command;
