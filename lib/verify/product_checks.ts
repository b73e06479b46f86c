/** Compares the run's product catalogue with shop.products. */
import { parse } from "csv-parse";
import { Readable } from "node:stream";
import type { ClickHouse } from "../clickhouse/session.ts";
import type { StageContext } from "../pipeline/stage.ts";
import { readRows } from "../postgres/cursor.ts";
import type { Postgres } from "../postgres/session.ts";
import { parseGeneratedFacts, parseProductsSha256 } from "../dataset/facts.ts";
import { measureFile } from "../dataset/part_reader.ts";
import { PRODUCT_COLUMNS, productsPath } from "../dataset/products.ts";
import clickhouseProducts from "./clickhouse_products.sql" with { type: "text" };
import type { Findings } from "./checks.ts";
import { compareKeys, compareRows, type KeyedRow } from "./compare_rows.ts";
import type { MeasuredFiles } from "./measure_files.ts";

/** A product_id that is no number gets the key -1, which no row of the table has: it is reported as a difference. */
function toKeyedRow(row: Record<string, string | null>): KeyedRow {
  const id = row.product_id ?? "";
  return {
    key: [/^\d+$/.test(id) ? BigInt(id) : -1n],
    text: PRODUCT_COLUMNS.map((name) => row[name] ?? "").join(", "),
  };
}

/** Parses the catalogue and sorts it in memory: it is small. */
async function parseProducts(chunks: readonly Uint8Array[]): Promise<KeyedRow[]> {
  const rows: KeyedRow[] = [];
  for await (const row of Readable.from(chunks).pipe(parse({ columns: true }))) rows.push(toKeyedRow(row));
  return rows.sort((a, b) => compareKeys(a.key, b.key));
}

async function* singleBatch<T>(rows: Promise<T[]>): AsyncGenerator<T[]> {
  yield await rows;
}

async function* readProductsTable(db: Postgres): AsyncGenerator<KeyedRow[]> {
  for await (
    const rows of readRows(db, `SELECT ${PRODUCT_COLUMNS.join(", ")} FROM shop.products ORDER BY product_id`)
  ) {
    yield rows.map(toKeyedRow);
  }
}

async function* readClickHouseProducts(db: ClickHouse): AsyncGenerator<KeyedRow[]> {
  for await (const rows of db.stream(clickhouseProducts)) {
    yield rows.map((values) =>
      toKeyedRow(Object.fromEntries(PRODUCT_COLUMNS.map((column, index) => [column, values[index] ?? null])))
    );
  }
}

/** Compares the catalogue in both databases, if the run has one. */
export async function checkClickHouseProducts(
  postgres: Postgres,
  clickhouse: ClickHouse,
  { store, runId }: StageContext,
  findings: Findings,
): Promise<void> {
  if (await store.size(productsPath(runId)) === undefined) return;
  const name = "content: shop.products of PostgreSQL = ClickHouse";
  const found = await compareRows(readProductsTable(postgres), readClickHouseProducts(clickhouse));
  if (!findings.compare(name, found.left, found.right)) findings.addDifferences(name, found.differences);
}

/** Compares the catalogue. A generated run must have one; an ingested run may. */
export async function checkProducts(
  db: Postgres,
  { store, runId, signal }: StageContext,
  { raw }: MeasuredFiles,
  findings: Findings,
): Promise<void> {
  const path = productsPath(runId);
  const generated = parseGeneratedFacts(raw, "verify");
  if (await store.size(path) === undefined) {
    if (generated) findings.compare("file: raw/products.csv of generated data", "present", "missing");
    return;
  }
  const chunks: Uint8Array[] = [];
  const { sha256 } = await measureFile(store, path, (bytes) => void chunks.push(bytes), signal);
  const expected = parseProductsSha256(raw);
  if (expected !== undefined) {
    findings.compare("checksum: raw/manifest.json = raw/products.csv", expected, sha256);
  }
  const name = "content: raw/products.csv = shop.products";
  const found = await compareRows(singleBatch(parseProducts(chunks)), readProductsTable(db));
  if (!findings.compare(name, found.left, found.right)) findings.addDifferences(name, found.differences);
}
