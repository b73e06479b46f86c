/** Reads the data of the report. The database aggregates all sales; only the results are transferred. */
import { toCents } from "../domain/money.ts";
import type { StageContext } from "../pipeline/stage.ts";
import type { Postgres } from "../postgres/session.ts";
import { formatBytes } from "../console/bytes.ts";
import { parseIngestedFacts } from "../dataset/facts.ts";
import { type Manifest, readManifest, sourceLine } from "../dataset/dataset.ts";
import type {
  CategoryRegion,
  Concentration,
  CurvePoint,
  Favourite,
  RegionDay,
  RejectedExample,
  ReportData,
  RunFacts,
} from "./report_data.ts";
import { queryOverview, readRawFiles } from "./read_overview.ts";
import { extendStatementTimeout, withSnapshot } from "./snapshot.ts";
import categoriesSql from "./sql/categories.sql" with { type: "text" };
import concentrationSql from "./sql/concentration.sql" with { type: "text" };
import curveSql from "./sql/curve.sql" with { type: "text" };
import customersSql from "./sql/customers.sql" with { type: "text" };
import daysSql from "./sql/days.sql" with { type: "text" };
import examplesSql from "./sql/examples.sql" with { type: "text" };
import favouritesSql from "./sql/favourites.sql" with { type: "text" };

/** Products in the table of best sellers. */
const MAX_PRODUCTS = 20;
/** Favourites of each region, and the number of its top products to choose from: below those, noise exceeds preference. */
const MAX_FAVOURITES = 3;
const FAVOURITE_CANDIDATES = 50;
/** Rejected rows to show for each reason, and characters to show of a row. */
const MAX_EXAMPLES = 3;
const MAX_EXAMPLE_CHARACTERS = 200;

async function readDays(db: Postgres): Promise<RegionDay[]> {
  const rows = await db.query<{ date: string; region: string; sales: string; amount: string }>(daysSql);
  return rows.map(({ date, region, sales, amount }) => ({
    date,
    region,
    sales: BigInt(sales),
    amountCents: toCents(amount),
  }));
}

async function readCurve(db: Postgres): Promise<CurvePoint[]> {
  const rows = await db.query<{ rank: string; cumulative_share: string }>(curveSql);
  return rows.map(({ rank, cumulative_share }) => ({
    rank: Number(rank),
    cumulativeShare: BigInt(cumulative_share),
  }));
}

async function readConcentration(db: Postgres): Promise<Concentration> {
  const row = await db.one(concentrationSql);
  return {
    products: Number(row.products),
    half: Number(row.half),
    fourFifths: Number(row.four_fifths),
    nearlyAll: Number(row.nearly_all),
  };
}

async function readCategories(db: Postgres): Promise<CategoryRegion[]> {
  const rows = await db.query<{ category: string | null; region: string; sales: string; amount: string }>(
    categoriesSql,
  );
  return rows.map(({ category, region, sales, amount }) => ({
    // A catalogue that exports fill may have products without one.
    category: category || undefined,
    region,
    sales: BigInt(sales),
    amountCents: toCents(amount),
  }));
}

async function readFavourites(db: Postgres, catalogue: boolean): Promise<Favourite[]> {
  type Row = {
    region: string;
    product_id: string;
    name: string | null;
    category: string | null;
    amount: string;
    lift: string;
  };
  const rows = await db.query<Row>(favouritesSql, [MAX_FAVOURITES, FAVOURITE_CANDIDATES, catalogue]);
  return rows.map(({ region, product_id, name, category, amount, lift }) => ({
    region,
    productId: BigInt(product_id),
    name: name ?? undefined,
    category: category || undefined,
    amountCents: toCents(amount),
    lift,
  }));
}

function located(raw: Manifest | undefined, file: string, line: string): { file: string; line: string } {
  if (!raw) return { file, line };
  const found = sourceLine(raw, file, Number(line));
  return { file: found.file, line: String(found.line) };
}

async function readExamples(
  db: Postgres,
  runId: string,
  raw: Manifest | undefined,
): Promise<RejectedExample[]> {
  type Row = { reason: string; file: string; line: string; raw: string; truncated: string };
  const rows = await db.query<Row>(examplesSql, [runId, MAX_EXAMPLES, MAX_EXAMPLE_CHARACTERS]);
  return rows.map((row) => ({
    ...row,
    ...located(raw, row.file, row.line),
    truncated: row.truncated === "t",
  }));
}

/** Returns what is needed to reproduce the data. */
function buildProvenance(
  run: RunFacts,
  raw: Manifest | undefined,
  clean: Manifest | undefined,
): [string, string][] {
  const fact = (label: string, name: string): [string, string][] => {
    const value = raw?.facts[name];
    return typeof value === "number" || typeof value === "string" ? [[label, String(value)]] : [];
  };
  const fingerprint = (label: string, manifest: Manifest | undefined): [string, string][] =>
    manifest ? [[label, manifest.fingerprint]] : [];
  const files = raw?.facts.files;
  const exports = raw ? parseIngestedFacts(raw, "report")?.exports : undefined;
  return [
    ["Run", run.runId],
    ["As of", run.asOf],
    ["Source", run.source],
    ...(exports
      ? exports.map(({ name, bytes, sha256 }): [string, string] => [
        "Export",
        `${name}, ${formatBytes(bytes)}, SHA-256 ${sha256}`,
      ])
      : Array.isArray(files)
      ? [["Files", files.join(", ")] as [string, string]]
      : []),
    ...fact("Seed", "seed"),
    ["Cleaned by", `${run.cleanEngine} engine`],
    ...fingerprint("SHA-256 of raw parts", raw),
    ...fingerprint("SHA-256 of clean parts", clean),
  ];
}

/** Reads the data of the report. @throws {SalesflowError} when the tables hold another run, or none */
export function readReportData(context: StageContext): Promise<ReportData> {
  return withSnapshot(context, async (db) => {
    const { store, runId } = context;
    const raw = await readRawFiles(context);
    const base = await queryOverview(db, context, raw, MAX_PRODUCTS);
    await extendStatementTimeout(db, base.quality.raw);
    const customers = await db.one(customersSql);
    return {
      ...base,
      days: await readDays(db),
      curve: await readCurve(db),
      concentration: await readConcentration(db),
      categories: raw.catalogue ? await readCategories(db) : [],
      favourites: await readFavourites(db, raw.catalogue),
      customers: BigInt(customers.customers!),
      repeatCustomers: BigInt(customers.repeat_customers!),
      examples: await readExamples(db, runId, raw.manifest),
      provenance: buildProvenance(base.run, raw.manifest, await readManifest(store, runId, "clean")),
    };
  });
}
