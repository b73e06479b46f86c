/** Reads what the report shows beyond the overview; only aggregates leave the database. */
import { toCents } from "../domain/money.ts";
import type { StageContext } from "../pipeline/stage.ts";
import type { Postgres } from "../postgres/session.ts";
import { findDataset, type Manifest, originOf } from "../dataset/dataset.ts";
import type {
  CategoryRegion,
  Concentration,
  CurvePoint,
  Example,
  Favourite,
  Figures,
  RegionDay,
  RunFacts,
} from "./figures.ts";
import { hasCatalogue, overview } from "./read.ts";
import { allowRows, withSnapshot } from "./snapshot.ts";
import categoriesSql from "./sql/categories.sql" with { type: "text" };
import concentrationSql from "./sql/concentration.sql" with { type: "text" };
import curveSql from "./sql/curve.sql" with { type: "text" };
import customersSql from "./sql/customers.sql" with { type: "text" };
import daysSql from "./sql/days.sql" with { type: "text" };
import examplesSql from "./sql/examples.sql" with { type: "text" };
import favouritesSql from "./sql/favourites.sql" with { type: "text" };

/** Products in the report's table. */
const PRODUCTS = 20;
/** Favourites of each region, chosen among so many of its leaders: further down chance outweighs taste. */
const FAVOURITES = 3;
const FAVOURITES_AMONG = 50;
/** Rejected rows shown of each reason, and characters shown of a row. */
const EXAMPLES = 3;
const EXAMPLE_CHARACTERS = 200;

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
  const rows = await db.query<{ rank: string; cumulative: string }>(curveSql);
  return rows.map(({ rank, cumulative }) => ({ rank: Number(rank), cumulative: BigInt(cumulative) }));
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
    category: category ?? undefined,
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
  const rows = await db.query<Row>(favouritesSql, [FAVOURITES, FAVOURITES_AMONG, catalogue]);
  return rows.map(({ region, product_id, name, category, amount, lift }) => ({
    region,
    productId: Number(product_id),
    name: name ?? undefined,
    category: category ?? undefined,
    amountCents: toCents(amount),
    lift,
  }));
}

async function readExamples(db: Postgres, runId: string, raw: Manifest | undefined): Promise<Example[]> {
  type Row = { reason: string; file: string; line: string; raw: string; cut: string };
  const rows = await db.query<Row>(examplesSql, [runId, EXAMPLES, EXAMPLE_CHARACTERS]);
  return rows.map((row) => ({
    ...row,
    file: raw ? originOf(raw, row.file) : row.file,
    cut: row.cut === "t",
  }));
}

/** Where the figures come from, so that anybody can make the same ones again. */
function provenanceOf(
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
  return [
    ["Run", run.runId],
    ["As of", run.asOf],
    ["Source", run.source],
    ...(Array.isArray(files) ? [["Files", files.join(", ")] as [string, string]] : []),
    ...fact("Seed", "seed"),
    ["Cleaned by", `${run.cleanEngine} engine`],
    ...fingerprint("SHA-256 of raw parts", raw),
    ...fingerprint("SHA-256 of clean parts", clean),
  ];
}

/** Reads what the report shows. @throws {SalesflowError} when the tables hold another run, or none */
export function readFigures(context: StageContext): Promise<Figures> {
  return withSnapshot(context, async (db) => {
    const { store, runId } = context;
    const [raw, clean] = [await findDataset(store, runId, "raw"), await findDataset(store, runId, "clean")];
    const base = await overview(db, context, PRODUCTS);
    const catalogue = await hasCatalogue(context.store, context.runId);
    await allowRows(db, base.quality.raw);
    const customers = await db.one(customersSql);
    return {
      ...base,
      days: await readDays(db),
      curve: await readCurve(db),
      concentration: await readConcentration(db),
      categories: catalogue ? await readCategories(db) : [],
      favourites: await readFavourites(db, catalogue),
      customers: BigInt(customers.customers!),
      customersAgain: BigInt(customers.again!),
      examples: await readExamples(db, context.runId, raw),
      provenance: provenanceOf(base.run, raw, clean),
    };
  });
}
