/** verify: recounts everything across the boundaries, and fails on the first cent of difference. */
import { type ClickHouse, withClickHouse } from "../clickhouse/session.ts";
import { type DatabaseLimits, DEFAULT_LIMITS, statementMsFor } from "../connection/limits.ts";
import type { StageContext, StageResult } from "../pipeline/stage.ts";
import { holdLoadedRun } from "../postgres/loaded_run.ts";
import { type Postgres, withPostgres } from "../postgres/session.ts";
import { checkFiles } from "./boundaries.ts";
import { Findings } from "./checks.ts";
import { checkClickHouse } from "./clickhouse_checks.ts";
import { type Files, measureFiles } from "./files.ts";
import {
  checkAggregates,
  checkRejected,
  checkRun,
  checkSales,
  differingSales,
  sumSales,
} from "./postgres_checks.ts";
import { checkProducts } from "./products.ts";

/** What {@linkcode verify} may be told. */
export interface VerifyOptions {
  /** @default {DEFAULT_LIMITS} */
  limits?: DatabaseLimits;
}

/** The files, and what was found so far. */
interface Measured {
  files: Files;
  findings: Findings;
}

/** Every check, in the order of the data's way. */
async function check(
  context: StageContext,
  measured: Promise<Measured>,
  postgres: Postgres,
  clickhouse: ClickHouse,
): Promise<Measured> {
  const { runId } = context;
  await holdLoadedRun(postgres, runId, "verify");
  const findings = new Findings();
  // While PostgreSQL counts, this process reads the files.
  const ofAggregates = new Findings();
  await checkAggregates(postgres, runId, ofAggregates);
  const sales = await sumSales(postgres);
  const { files, findings: ofFiles } = await measured;
  findings.add(ofFiles);
  const facts = checkFiles(files, context, findings);
  await checkRun(postgres, files, facts, findings);
  const sameSales = checkSales(files, sales, findings);
  await checkRejected(postgres, context, files.rejected, facts, findings);
  await checkProducts(postgres, context, files, findings);
  findings.add(ofAggregates);
  await checkClickHouse(postgres, clickhouse, context, findings);
  if (!sameSales) {
    findings.differ("checksum: clean/ = shop.sales", await differingSales(postgres, context, files.clean));
  }
  return { files, findings };
}

/**
 * Recounts a run in the files, in PostgreSQL and in ClickHouse, and compares.
 *
 * @throws {SalesflowError} with a table of the differences; when the databases hold another run, or one fails
 */
export async function verify(context: StageContext, options: VerifyOptions = {}): Promise<StageResult> {
  const { limits = DEFAULT_LIMITS } = options;
  const { signal, runId } = context;
  const ofFiles = new Findings();
  const reading = new AbortController();
  const untilThen = { ...context, signal: AbortSignal.any([signal, reading.signal]) };
  const measured = measureFiles(untilThen, ofFiles).then((files) => ({ files, findings: ofFiles }));
  // Awaited later; until then a failure is not unhandled.
  measured.catch(() => {});
  try {
    const { files, findings } = await compareAll(context, measured, limits);
    findings.judge(runId);
    return { rowsIn: files.raw.rows, rowsOut: files.sum.rows, facts: { checks: findings.checks } };
  } finally {
    // When a database fails, the files are not read on behind the back of the caller.
    reading.abort();
    await measured.catch(() => {});
  }
}

/** Opens both databases, and compares. */
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
        await postgres.allow(statementMsFor(limits, Number(rows)));
        // The transaction waits while the files are read, however large they are.
        await postgres.query("SELECT set_config('idle_in_transaction_session_timeout', '0', false)");
        return await postgres.transaction(
          () => check(context, measured, postgres, clickhouse),
          "BEGIN ISOLATION LEVEL REPEATABLE READ",
        );
      }),
  );
}
