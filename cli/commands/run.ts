import { z } from "zod";
import { aggregate } from "../../lib/aggregate/aggregate.ts";
import { clean } from "../../lib/clean/clean.ts";
import { SalesflowError } from "../../lib/console/errors.ts";
import { generate } from "../../lib/generate/generate.ts";
import { load } from "../../lib/load/load.ts";
import { hasColour } from "../../lib/console/color.ts";
import { logFormat, logger } from "../../lib/console/log.ts";
import { migrate } from "../../lib/migrate/migrate.ts";
import { splitStages, validateStageRange } from "../../lib/pipeline/plan.ts";
import { readRun, type RunRecord } from "../../lib/pipeline/records.ts";
import { type StageContext, type StageName, type StageResult, STAGES } from "../../lib/pipeline/stage.ts";
import { OtherRunError, readTableRuns } from "../../lib/postgres/loaded_run.ts";
import { withTablesLock } from "../../lib/postgres/tables_lock.ts";
import { report } from "../../lib/report/report.ts";
import { summarizeRun } from "../../lib/report/summary.ts";
import { transfer } from "../../lib/transfer/transfer.ts";
import { verify } from "../../lib/verify/verify.ts";
import { formatAlert, isWorthAnAlert, readAlertUrl, sendAlert } from "../alert.ts";
import { type AnyCommand, defineCommand, type Option, type Values } from "../command.ts";
import { formatDryRun, previewRun } from "../dry_run.ts";
import { findRun } from "../find_run.ts";
import { jsonOption, stageOptions, toggle } from "../options.ts";
import { planStages } from "../run_plan.ts";
import { RunResultCollector } from "../run_result.ts";
import { openSelectedStore, runLocation, Session, startLogging } from "../session.ts";
import { stopSignal } from "../stop_signal.ts";
import { cleanOptions, toCleanOptions } from "./clean.ts";
import { findIgnoredOptions, generateOptions, logKeptOptions, toGenerateOptions } from "./generate.ts";

const stageSchema = z.enum(STAGES, `it must be one of ${STAGES.join(", ")}`).optional();

const rangeOptions = {
  from: {
    help: "First stage",
    placeholder: "STAGE",
    schema: stageSchema,
    flagOnly: true,
    defaultText: "where the last attempt stopped",
  },
  to: {
    help: "Last stage",
    placeholder: "STAGE",
    schema: stageSchema,
    flagOnly: true,
    defaultText: "report",
  },
} satisfies Record<string, Option>;

const outputOptions = {
  dryRun: {
    help: "Show which stages would run and why, and write nothing",
    schema: toggle,
    flagOnly: true,
  },
  ...jsonOption,
} satisfies Record<string, Option>;

const options = { ...rangeOptions, ...outputOptions, ...generateOptions, ...cleanOptions, ...stageOptions };

type RunValues = Values<typeof options>;

/** `salesflow run`. */
const command: AnyCommand = defineCommand({
  name: "run",
  summary: "Run all stages: migrate, generate, clean, load, aggregate, transfer, verify, report",
  description:
    "After a failure, the same command resumes where the last attempt stopped. A finished run starts over, with the same\nresult. A failure is posted to the webhook in SALESFLOW_ALERT_URL, if set.",
  options,
  databases: true,
  examples: [
    "salesflow run",
    "salesflow run --rows 100000 --as-of 2026-11-24",
    "salesflow run --from clean --run-id orders",
    "salesflow run --dry-run",
  ],
  async run(values) {
    if (values.from && values.to) validateStageRange(STAGES, values.from, values.to);
    if (values.dryRun) return await printPreview(values);
    const alertUrl = readAlertUrl();
    const collector = new RunResultCollector();
    try {
      await runStages(values, collector);
    } catch (error) {
      // The alert first: the records may lie in a bucket that does not answer.
      if (alertUrl && isWorthAnAlert(error)) await sendAlert(alertUrl, formatAlert(error, collector.place));
      if (values.json) console.log(JSON.stringify(await collector.result(error), null, 2));
      throw error;
    }
    if (values.json) console.log(JSON.stringify(await collector.result(), null, 2));
  },
});

/** Whether the run may be new: starting after generate needs an existing run with raw data. */
function mayBeNew({ from }: RunValues): boolean {
  return from === undefined || from === "migrate" || from === "generate";
}

async function requestPlan(
  values: RunValues,
  { store, runId, asOf }: Pick<Session, "store" | "runId" | "asOf">,
) {
  const existing = await readRun(store, runId);
  const { from, to } = values;
  const generating = toGenerateOptions(values, asOf, existing);
  const cleaning = toCleanOptions(values);
  return { store, runId, asOf, existing, generating, cleaning, from, to };
}

async function printPreview(values: RunValues): Promise<void> {
  await startLogging(values);
  const store = openSelectedStore(values);
  const run = await findRun(store, values, mayBeNew(values));
  const preview = await previewRun(await requestPlan(values, { store, ...run }), stopSignal());
  console.log(values.json ? JSON.stringify(preview, null, 2) : formatDryRun(preview));
}

async function runStages(values: RunValues, collector: RunResultCollector): Promise<void> {
  const needs = { postgres: true, clickhouse: true, newRun: mayBeNew(values) };
  await Session.with(values, needs, async (session) => {
    const request = await requestPlan(values, session);
    const { existing, generating, cleaning } = request;
    const readTables = () => session.context((context) => readTableRuns(context));
    const { plan } = await planStages(request, readTables);
    const { stages, resumed } = plan;
    collector.plan(session, existing?.source ?? "generated", plan);
    if (resumed) logger("run").info(`resuming at ${resumed.at}: ${resumed.reason}`);
    if (stages.includes("generate")) logKeptOptions(values, generating, existing);
    else if (existing) warnOfIgnoredOptions(values, existing);
    const work: Record<Exclude<StageName, "ingest">, (context: StageContext) => Promise<StageResult>> = {
      migrate,
      generate: (context) => generate(context, generating),
      clean: (context) => clean(context, cleaning),
      load,
      aggregate,
      transfer,
      verify,
      report,
    };
    const started = performance.now();
    const runAll = async (names: readonly StageName[]) => {
      for (const stage of names) {
        if (stage === "ingest") {
          throw new SalesflowError("Cannot ingest again without the files", {
            exitCode: 2,
            remedy: "Use: salesflow ingest FILE…",
          });
        }
        collector.start(stage);
        await session.stage(stage, work[stage]);
      }
    };
    const { files, tables } = splitStages(stages);
    await runAll(files);
    if (tables.length === 0) return;
    const publish = async () => {
      await runAll(tables);
      const seconds = (performance.now() - started) / 1000;
      if (stages.at(-1) === "report" && !values.quiet && !values.json) await printSummary(session, seconds);
    };
    // Otherwise the load of another run could come between load and report.
    await session.context((context) => withTablesLock(context, "run", publish));
  });
}

function warnOfIgnoredOptions(values: RunValues, existing: RunRecord): void {
  const ignored = findIgnoredOptions(values, existing);
  if (ignored.length === 0) return;
  logger("run").warn(
    `this run already has ${existing.source} sales: ${ignored.join(", ")} has no effect`,
  );
}

async function printSummary(session: Session, seconds: number): Promise<void> {
  const colour = hasColour(Deno.stdout, { format: logFormat() });
  const summary = session.context((context) => summarizeRun(context, { colour })).catch((error) => {
    // The connection with the lock was lost, and another run has come in between; this one is complete.
    if (error instanceof OtherRunError) return `No summary: ${error.message}`;
    throw error;
  });
  console.log(await summary);
  console.log(`Run ${session.runId}: ${seconds.toFixed(2)} s`);
  console.log(`Report: ${runLocation(session, "report", "report.html")}`);
  console.log(`Data:   ${runLocation(session)}`);
}
export default command;
