import { z } from "zod";
import { aggregate } from "../../lib/aggregate/aggregate.ts";
import { clean } from "../../lib/clean/clean.ts";
import { SalesflowError } from "../../lib/console/errors.ts";
import { generate, generatedRun, type GenerateOptions } from "../../lib/generate/generate.ts";
import { load } from "../../lib/load/load.ts";
import { hasColour } from "../../lib/console/color.ts";
import { logFormat, logger } from "../../lib/console/log.ts";
import { migrate } from "../../lib/migrate/migrate.ts";
import {
  type CleanSettings,
  type Plan,
  planRun,
  resumesAfterLoad,
  rewindPlan,
  splitStages,
  validateStageRange,
} from "../../lib/pipeline/plan.ts";
import { readRun, readStage, type RunRecord, type StageRecord } from "../../lib/pipeline/records.ts";
import { type StageContext, type StageName, type StageResult, STAGES } from "../../lib/pipeline/stage.ts";
import { OtherRunError, readTableRuns } from "../../lib/postgres/loaded_run.ts";
import { withTablesLock } from "../../lib/postgres/tables_lock.ts";
import { report } from "../../lib/report/report.ts";
import { summarizeRun } from "../../lib/report/summary.ts";
import { transfer } from "../../lib/transfer/transfer.ts";
import { verify } from "../../lib/verify/verify.ts";
import { type AnyCommand, defineCommand, type Option } from "../command.ts";
import { stageOptions } from "../options.ts";
import { runLocation, Session } from "../session.ts";
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

async function readStageRecords({ store, runId }: Session): Promise<Map<StageName, StageRecord>> {
  const records = new Map<StageName, StageRecord>();
  for (const stage of [...STAGES, "ingest"] as StageName[]) {
    const record = await readStage(store, runId, stage);
    if (record) records.set(stage, record);
  }
  return records;
}

async function planStages(
  session: Session,
  existing: RunRecord | undefined,
  options: GenerateOptions,
  cleaning: CleanSettings,
  { from, to }: { from?: StageName | undefined; to?: StageName | undefined },
): Promise<Plan> {
  const { runId, asOf } = session;
  const planned = planRun({
    requested: generatedRun(runId, asOf, options),
    existing,
    records: await readStageRecords(session),
    cleanSettings: cleaning,
    from,
    to,
  });
  if (!resumesAfterLoad(planned)) return planned;
  return rewindPlan(planned, runId, await session.context((context) => readTableRuns(context)));
}

/** `salesflow run`. */
const command: AnyCommand = defineCommand({
  name: "run",
  summary: "Run all stages: migrate, generate, clean, load, aggregate, transfer, verify, report",
  description:
    "After a failure, the same command resumes where the last attempt stopped. A finished run starts over, with the same\nresult.",
  options: { ...rangeOptions, ...generateOptions, ...cleanOptions, ...stageOptions },
  databases: true,
  examples: [
    "salesflow run",
    "salesflow run --rows 100000 --as-of 2026-11-24",
    "salesflow run --from clean --run-id orders",
  ],
  async run(values) {
    if (values.from && values.to) validateStageRange(STAGES, values.from, values.to);
    // Starting after generate needs an existing run with raw data.
    const newRun = values.from === undefined || values.from === "migrate" || values.from === "generate";
    await Session.with(values, { postgres: true, clickhouse: true, newRun }, async (session) => {
      const existing = await readRun(session.store, session.runId);
      const options = toGenerateOptions(values, session.asOf, existing);
      const cleaning = toCleanOptions(values);
      const { stages, resumed } = await planStages(session, existing, options, cleaning, values);
      if (resumed) {
        logger("run").info(`resuming at ${resumed.at}: ${resumed.reason}`);
      }
      if (stages.includes("generate")) logKeptOptions(values, options, existing);
      const found = stages.includes("generate") ? undefined : existing;
      const ignored = found ? findIgnoredOptions(values, found) : [];
      if (ignored.length > 0) {
        logger("run").warn(
          `this run already has ${found!.source} sales: ${ignored.join(", ")} has no effect`,
        );
      }
      const work: Record<Exclude<StageName, "ingest">, (context: StageContext) => Promise<StageResult>> = {
        migrate,
        generate: (context) => generate(context, options),
        clean: (context) => clean(context, cleaning),
        load,
        aggregate,
        transfer,
        verify,
        report,
      };
      const started = performance.now();
      const runStages = async (names: readonly StageName[]) => {
        for (const stage of names) {
          if (stage === "ingest") {
            throw new SalesflowError("Cannot ingest again without the files", {
              exitCode: 2,
              remedy: "Use: salesflow ingest FILE…",
            });
          }
          await session.stage(stage, work[stage]);
        }
      };
      const { files, tables } = splitStages(stages);
      await runStages(files);
      if (tables.length === 0) return;
      const publish = async () => {
        await runStages(tables);
        const seconds = (performance.now() - started) / 1000;
        if (stages.at(-1) === "report" && !values.quiet) await printSummary(session, seconds);
      };
      // Otherwise the load of another run could come between load and report.
      await session.context((context) => withTablesLock(context, "run", publish));
    });
  },
});

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
