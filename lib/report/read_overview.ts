/** Reads the data of the summary: the tables in one snapshot, and the stages' records from the store. */
import { z } from "zod";
import { SalesflowError } from "../console/errors.ts";
import { toCents } from "../domain/money.ts";
import { stageOrder } from "../pipeline/plan.ts";
import { readStages } from "../pipeline/records.ts";
import type { StageContext } from "../pipeline/stage.ts";
import { OtherRunError } from "../postgres/loaded_run.ts";
import type { Postgres, TextRow } from "../postgres/session.ts";
import { REASONS, zeroReasonCounts } from "../domain/sale.ts";
import { type Manifest, readManifest } from "../dataset/dataset.ts";
import { productsPath } from "../dataset/products.ts";
import { parseCleanFacts, parseIngestedFacts } from "../dataset/facts.ts";
import { currencyOf } from "./currency.ts";
import type { Exclusion, Overview, Product, Quality, Region, RunFacts, Sums } from "./report_data.ts";
import { withSnapshot } from "./snapshot.ts";
import productsSql from "./sql/products.sql" with { type: "text" };
import regionsSql from "./sql/regions.sql" with { type: "text" };
import runSql from "./sql/run.sql" with { type: "text" };

const warningsSchema = z.array(z.string()).catch([]);

/** Products in the summary. */
const MAX_SUMMARY_PRODUCTS = 5;

/** The columns of {@linkcode Sums} as text. */
interface SumsRow extends TextRow {
  sales: string;
  quantity: string;
  amount: string;
  average: string;
  share: string;
}

function parseSums(row: SumsRow): Sums {
  return {
    sales: BigInt(row.sales),
    quantity: BigInt(row.quantity),
    amountCents: toCents(row.amount),
    averageCents: toCents(row.average),
    share: BigInt(row.share),
  };
}

interface RunRow extends TextRow {
  source: RunFacts["source"];
  clean_engine: RunFacts["cleanEngine"];
  raw_rows: string;
  clean_rows: string;
  duplicate_rows: string;
  rejected_rows: string;
  rejected_by_reason: string;
  aggregated_run: string | null;
}

/** Reads the run's row of shop.pipeline_runs. @throws {SalesflowError} when the aggregates are not those of the run */
async function readRunRow(db: Postgres, runId: string): Promise<RunRow> {
  const row = await db.one<RunRow>(runSql, [runId]);
  // Without accepted rows, there are no aggregates that could name their run.
  if (row.aggregated_run === runId || (row.aggregated_run === null && row.clean_rows === "0")) return row;
  const [content, ErrorClass] = row.aggregated_run === null
    ? ["is empty", SalesflowError]
    : [`holds run ${row.aggregated_run}, not ${runId}`, OtherRunError];
  throw new ErrorClass(`shop.sales_aggregates in PostgreSQL at ${db.server} ${content}`, {
    stage: "report",
    runId,
    remedy: `Run "salesflow aggregate --run-id ${runId}" first.`,
  });
}

function parseAmounts(clean: Manifest | undefined): Quality["amounts"] {
  const amounts = clean && parseCleanFacts(clean, "report").rejected_amounts;
  if (!amounts) return undefined;
  return Object.fromEntries(
    Object.entries(amounts).map(([reason, { rows, amount }]) => [
      reason,
      { rows: BigInt(rows), amountCents: toCents(amount) },
    ]),
  ) as Quality["amounts"];
}

function parseQuality(row: RunRow, clean: Manifest | undefined): Quality {
  const byReason = zeroReasonCounts();
  const stored: Record<string, number> = JSON.parse(row.rejected_by_reason);
  for (const reason of REASONS) byReason[reason] = stored[reason] ?? 0;
  return {
    raw: BigInt(row.raw_rows),
    clean: BigInt(row.clean_rows),
    duplicates: BigInt(row.duplicate_rows),
    rejected: BigInt(row.rejected_rows),
    byReason,
    amounts: parseAmounts(clean),
  };
}

async function readProducts(db: Postgres, limit: number, catalogue: boolean): Promise<Product[]> {
  interface Row extends SumsRow {
    product_id: string;
    name: string | null;
    category: string | null;
    cumulative_share: string;
  }
  return (await db.query<Row>(productsSql, [limit, catalogue])).map((row) => ({
    ...parseSums(row),
    productId: BigInt(row.product_id),
    name: row.name ?? undefined,
    category: row.category || undefined,
    cumulativeShare: BigInt(row.cumulative_share),
  }));
}

/** What the store has of the run's raw data. */
export interface RawFiles {
  /** `undefined` when it was removed. */
  manifest: Manifest | undefined;
  /** Whether the run has its own catalogue. If not, shop.products may be that of an earlier run, with other products. */
  catalogue: boolean;
}

/** Reads what the store has of a run's raw data. */
export async function readRawFiles({ store, runId }: StageContext): Promise<RawFiles> {
  const [manifest, size] = [await readManifest(store, runId, "raw"), await store.size(productsPath(runId))];
  return { manifest, catalogue: size !== undefined };
}

function listExclusions(raw: Manifest | undefined): Exclusion[] {
  const facts = raw && parseIngestedFacts(raw, "report");
  return Object.entries(facts?.excluded ?? {}).map(([rule, lines]) => ({
    rule,
    lines: BigInt(lines),
    amountCents: toCents(facts!.excluded_amounts[rule] ?? "0.00"),
  }));
}

/** Queries the overview within a snapshot. @throws {SalesflowError} when the tables hold another run, or none */
export async function queryOverview(
  db: Postgres,
  context: StageContext,
  raw: RawFiles,
  maxProducts: number,
): Promise<Overview> {
  const { runId, asOf, store } = context;
  const row = await readRunRow(db, runId);
  const records = await readStages(store, runId);
  const groups = await db.query<SumsRow & { level: string; region: string }>(regionsSql);
  const total = groups.find(({ level }) => level === "total");
  return {
    run: {
      runId,
      asOf,
      source: row.source,
      cleanEngine: row.clean_engine,
      currency: currencyOf(raw.manifest),
    },
    total: total && parseSums(total),
    regions: groups.filter(({ level }) => level === "region")
      .map((group): Region => ({ ...parseSums(group), region: group.region })),
    products: await readProducts(db, maxProducts, raw.catalogue),
    quality: parseQuality(row, await readManifest(store, runId, "clean")),
    exclusions: listExclusions(raw.manifest),
    stages: stageOrder(row.source).flatMap((stage) => records.get(stage) ?? []),
    warnings: (["ingest", "load"] as const).flatMap((stage) =>
      warningsSchema.parse(records.get(stage)?.facts.warnings)
    ),
  };
}

/** Reads the data of the summary. @throws {SalesflowError} when the tables hold another run, or none */
export function readOverview(context: StageContext): Promise<Overview> {
  return withSnapshot(
    context,
    async (db) => queryOverview(db, context, await readRawFiles(context), MAX_SUMMARY_PRODUCTS),
  );
}
