/** Reads what a summary needs: the tables in one snapshot, the stages' records from the store. */
import { SalesflowError } from "../console/errors.ts";
import { toCents } from "../domain/money.ts";
import { readStage, type StageRecord } from "../pipeline/records.ts";
import { type StageContext, type StageName, STAGES } from "../pipeline/stage.ts";
import type { Postgres, TextRow } from "../postgres/session.ts";
import { noRejections, REASONS } from "../domain/sale.ts";
import type { Store } from "../store/store.ts";
import type { Overview, Product, Quality, Region, RunFacts, Sums } from "./figures.ts";
import { withSnapshot } from "./snapshot.ts";
import productsSql from "./sql/products.sql" with { type: "text" };
import regionsSql from "./sql/regions.sql" with { type: "text" };
import runSql from "./sql/run.sql" with { type: "text" };

/** Products in a summary for the terminal. */
const SUMMARY_PRODUCTS = 5;

/** Columns of {@linkcode Sums}, as text. */
interface SumsRow extends TextRow {
  sales: string;
  quantity: string;
  amount: string;
  average: string;
  share: string;
}

function sums(row: SumsRow): Sums {
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

/** The run's row, when the aggregates are those of the run. @throws {SalesflowError} otherwise */
async function readRunRow(db: Postgres, runId: string): Promise<RunRow> {
  const row = await db.one<RunRow>(runSql, [runId]);
  // Without sales there are no aggregates to tell whose they are.
  if (row.aggregated_run === runId || (row.aggregated_run === null && row.clean_rows === "0")) return row;
  const found = row.aggregated_run === null ? "is empty" : `holds run ${row.aggregated_run}, not ${runId}`;
  throw new SalesflowError(`shop.sales_aggregates in PostgreSQL at ${db.server} ${found}`, {
    stage: "report",
    runId,
    remedy: `Run "salesflow aggregate --run-id ${runId}" first.`,
  });
}

function qualityOf(row: RunRow): Quality {
  const byReason = noRejections();
  const stored: Record<string, number> = JSON.parse(row.rejected_by_reason);
  for (const reason of REASONS) byReason[reason] = stored[reason] ?? 0;
  return {
    raw: BigInt(row.raw_rows),
    clean: BigInt(row.clean_rows),
    duplicates: BigInt(row.duplicate_rows),
    rejected: BigInt(row.rejected_rows),
    byReason,
  };
}

async function readProducts(db: Postgres, limit: number, catalogue: boolean): Promise<Product[]> {
  interface Row extends SumsRow {
    product_id: string;
    name: string | null;
    category: string | null;
    cumulative: string;
  }
  return (await db.query<Row>(productsSql, [limit, catalogue])).map((row) => ({
    ...sums(row),
    productId: Number(row.product_id),
    name: row.name ?? undefined,
    category: row.category ?? undefined,
    cumulative: BigInt(row.cumulative),
  }));
}

async function readStages(store: Store, runId: string, source: RunFacts["source"]): Promise<StageRecord[]> {
  const names = STAGES.map((stage): StageName =>
    stage === "generate" && source === "ingested" ? "ingest" : stage
  );
  const records = await Promise.all(names.map((stage) => readStage(store, runId, stage)));
  return records.filter((record) => record !== undefined);
}

/** Whether shop.products is this run's own catalogue: it may be that of an earlier run, whose names mean other things. */
export async function hasCatalogue(store: Store, runId: string): Promise<boolean> {
  return await store.size(`runs/${runId}/raw/products.csv`) !== undefined;
}

/** Reads the overview with so many products. @throws {SalesflowError} when the tables hold another run, or none */
export async function overview(db: Postgres, context: StageContext, products: number): Promise<Overview> {
  const { runId, asOf, store } = context;
  const row = await readRunRow(db, runId);
  const groups = await db.query<SumsRow & { level: string; region: string }>(regionsSql);
  const total = groups.find(({ level }) => level === "total");
  return {
    run: { runId, asOf, source: row.source, cleanEngine: row.clean_engine },
    total: total && sums(total),
    regions: groups.filter(({ level }) => level === "region")
      .map((group): Region => ({ ...sums(group), region: group.region })),
    products: await readProducts(db, products, await hasCatalogue(store, runId)),
    quality: qualityOf(row),
    stages: await readStages(store, runId, row.source),
  };
}

/** Reads what a summary shows. @throws {SalesflowError} when the tables hold another run, or none */
export function readOverview(context: StageContext): Promise<Overview> {
  return withSnapshot(context, (db) => overview(db, context, SUMMARY_PRODUCTS));
}
