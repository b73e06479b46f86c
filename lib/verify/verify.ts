/** verify: recounts a run in the files and both databases, and fails on any difference. */
import { type ClickHouse, withClickHouse } from "../clickhouse/session.ts";
import { type DatabaseLimits, DEFAULT_LIMITS, statementTimeoutForRows } from "../connection/limits.ts";
import type { StageContext, StageResult } from "../pipeline/stage.ts";
import { lockLoadedRun } from "../postgres/loaded_run.ts";
import { type Postgres, withPostgres } from "../postgres/session.ts";
import { checkFiles } from "./file_checks.ts";
import { Findings } from "./checks.ts";
import { checkClickHouse } from "./clickhouse_checks.ts";
import { type MeasuredFiles, measureFiles } from "./measure_files.ts";
import {
  checkAggregates,
  checkRejected,
  checkRun,
  checkSales,
  findDifferingSales,
  sumSales,
} from "./postgres_checks.ts";
import { checkClickHouseProducts, checkProducts } from "./product_checks.ts";

/** Options of {@linkcode verify}. */
export interface VerifyOptions {
  /** Timeouts and retries. @default {DEFAULT_LIMITS} */
  limits?: DatabaseLimits;
}

/** The measured files, and the results so far. */
interface Measured {
  files: MeasuredFiles;
  findings: Findings;
}

/** Runs every check, in the order of the pipeline. */
async function runChecks(
  context: StageContext,
  measured: Promise<Measured>,
  postgres: Postgres,
  clickhouse: ClickHouse,
): Promise<Measured> {
  const { runId } = context;
  await lockLoadedRun(postgres, runId, "verify");
  const findings = new Findings();
  // PostgreSQL counts while this process reads the files.
  const aggregateFindings = new Findings();
  await checkAggregates(postgres, runId, aggregateFindings);
  const sales = await sumSales(postgres);
  const { files, findings: fileFindings } = await measured;
  findings.merge(fileFindings);
  const facts = checkFiles(files, context, findings);
  await checkRun(postgres, files, facts, findings);
  const sameSales = checkSales(files, sales, findings);
  await checkRejected(postgres, context, files.rejected, facts, findings);
  await checkProducts(postgres, context, files, findings);
  findings.merge(aggregateFindings);
  await checkClickHouse(postgres, clickhouse, context, findings);
  await checkClickHouseProducts(postgres, clickhouse, context, findings);
  if (!sameSales) {
    findings.addDifferences(
      "checksum: clean/ = shop.sales",
      await findDifferingSales(postgres, context, files.clean),
    );
  }
  return { files, findings };
}

/**
 * Recounts a run in the files, in PostgreSQL and in ClickHouse, and compares the results.
 *
 * @throws {SalesflowError} with a table of the differences; also when the databases hold another run, or one fails
 */
export async function verify(context: StageContext, options: VerifyOptions = {}): Promise<StageResult> {
  const { limits = DEFAULT_LIMITS } = options;
  const { signal, runId } = context;
  const fileFindings = new Findings();
  const reading = new AbortController();
  const readingContext = { ...context, signal: AbortSignal.any([signal, reading.signal]) };
  const measured = measureFiles(readingContext, fileFindings)
    .then((files) => ({ files, findings: fileFindings }));
  // Awaited later; marks a rejection before then as handled.
  measured.catch(() => {});
  try {
    const { files, findings } = await compareAll(context, measured, limits);
    findings.throwIfFailed(runId);
    const { checks } = findings;
    const summary = `${checks.length} checks agree`;
    return { rowsIn: files.raw.rows, rowsOut: files.sum.rows, facts: { checks }, summary };
  } finally {
    // Stops reading the files when a database fails.
    reading.abort();
    await measured.catch(() => {});
  }
}

/** Connects to both databases and runs the checks. */
function compareAll(
  context: StageContext,
  measured: Promise<Measured>,
  limits: DatabaseLimits,
): Promise<Measured> {
  const { postgresUrl, clickhouseUrl, signal } = context;
  const common = { stage: "verify", signal, limits };
  return withClickHouse(
    { ...common, url: clickhouseUrl },
    (clickhouse) =>
      withPostgres({ ...common, url: postgresUrl }, async (postgres) => {
        const { rows } = await postgres.one(
          "SELECT coalesce(max(clean_rows), 0) AS rows FROM shop.pipeline_runs",
        );
        await postgres.setStatementTimeout(statementTimeoutForRows(limits, Number(rows)));
        // The transaction stays idle while the files are read, which may take long.
        await postgres.query("SELECT set_config('idle_in_transaction_session_timeout', '0', false)");
        return await postgres.transaction(
          () => runChecks(context, measured, postgres, clickhouse),
          "BEGIN ISOLATION LEVEL REPEATABLE READ",
        );
      }),
  );
}
