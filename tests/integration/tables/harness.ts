/** Shared by the tests of tables: embedded databases, small runs written straight to a store, and queries of the tables. */
import { createHash } from "node:crypto";
import { withClickHouse } from "../../../lib/clickhouse/session.ts";
import { type Embedded, startEmbedded } from "../../../lib/embedded/embedded.ts";
import type { EngineName } from "../../../lib/embedded/engines/packages.ts";
import { type DatabaseLimits, DEFAULT_LIMITS } from "../../../lib/connection/limits.ts";
import { fromCents, toCents } from "../../../lib/domain/money.ts";
import { POSTGRES_MIGRATIONS } from "../../../lib/migrate/migrations.ts";
import { writeRun } from "../../../lib/pipeline/records.ts";
import type { StageContext } from "../../../lib/pipeline/stage.ts";
import { type Postgres, type TextRow, withPostgres } from "../../../lib/postgres/session.ts";
import {
  type Reason,
  REGIONS,
  REJECTED_HEADER,
  SALE_HEADER,
  zeroReasonCounts,
} from "../../../lib/domain/sale.ts";
import {
  datasetFolder,
  type DatasetName,
  fingerprint,
  type Part,
  partName,
  publishDataset,
} from "../../../lib/dataset/dataset.ts";
import { PartWriter } from "../../../lib/dataset/part_writer.ts";
import { openStore } from "../../../lib/store/open_store.ts";
import type { Store } from "../../../lib/store/store.ts";

const NEVER_ABORTED = new AbortController().signal;

/** Short timeouts and waits, so that tests of failures are fast. */
export const SHORT_LIMITS: DatabaseLimits = {
  ...DEFAULT_LIMITS,
  retries: 3,
  minRetryDelayMs: 10,
  maxRetryDelayMs: 50,
  lockTimeoutMs: 200,
};

/** Embedded databases and a store, used by one test file only. */
export class Testbed {
  readonly store: Store;
  readonly #embedded: Embedded;
  readonly #folder: string;

  private constructor(embedded: Embedded, folder: string) {
    this.#embedded = embedded;
    this.#folder = folder;
    this.store = openStore(`${folder}/store`);
  }

  /** @param engines the databases to start; the URL of any other must not be used */
  static async open(engines: readonly EngineName[] = ["postgres", "clickhouse"]): Promise<Testbed> {
    const folder = await Deno.makeTempDir({ prefix: "salesflow-tables-" });
    return new Testbed(await startEmbedded(`${folder}/home`, { engines }), folder);
  }

  get postgresUrl(): string {
    return this.#embedded.postgresUrl;
  }

  get clickhouseUrl(): string {
    return this.#embedded.clickhouseUrl;
  }

  /** A temporary folder, removed by {@linkcode Testbed.close}. */
  get folder(): string {
    return this.#folder;
  }

  /** Stops the databases and removes the folder. */
  async close(): Promise<void> {
    await this.#embedded.close();
    await Deno.remove(this.#folder, { recursive: true });
  }

  /** Returns the context of a stage of the run. */
  context(runId: string, changes: Partial<StageContext> = {}): StageContext {
    const { store, postgresUrl, clickhouseUrl } = this;
    const asOf = "2026-11-24";
    return {
      runId,
      asOf,
      store,
      postgresUrl,
      clickhouseUrl,
      signal: NEVER_ABORTED,
      progress() {},
      ...changes,
    };
  }

  /** Runs `work` on a new connection, without retries. */
  postgres<T>(work: (db: Postgres) => Promise<T>, url = this.postgresUrl): Promise<T> {
    return withPostgres({
      url,
      stage: "test",
      signal: NEVER_ABORTED,
      limits: { ...SHORT_LIMITS, retries: 0 },
    }, work);
  }

  /** Creates the tables in PostgreSQL only; migrate() needs both databases. */
  async createPostgresTables(): Promise<void> {
    await this.sql("CREATE SCHEMA shop");
    for (const { sql } of POSTGRES_MIGRATIONS) await this.sql(sql);
  }

  /** Returns the rows of a statement in PostgreSQL. */
  sql(text: string, values?: unknown[]): Promise<TextRow[]> {
    return this.postgres((db) => db.query(text, values));
  }

  /** Returns the values of each row of a statement in PostgreSQL. */
  async values(text: string, values?: unknown[]): Promise<(string | null)[][]> {
    return (await this.sql(text, values)).map((row) => Object.values(row));
  }

  /** Runs a statement in ClickHouse; returns the rows of a SELECT or SHOW. */
  clickhouse(text: string): Promise<string[][]> {
    return withClickHouse(
      { url: this.clickhouseUrl, stage: "test", signal: NEVER_ABORTED, limits: SHORT_LIMITS },
      async (db) => {
        if (/^\s*(select|show)/i.test(text)) return await db.rows(text);
        await db.command(text);
        return [];
      },
    );
  }

  /** Returns the staging tables in both databases. */
  async findStagingTables(): Promise<string[]> {
    const inPostgres = await this.sql(
      "SELECT relname AS name FROM pg_class WHERE relnamespace = 'shop'::regnamespace AND relkind = 'r' AND NOT relispartition AND relname LIKE 'sales\\_part\\_%'",
    );
    const inClickHouse = await this.clickhouse(
      "SELECT name FROM system.tables WHERE database = 'shop' AND name NOT IN ('sales_aggregates', 'products', 'schema_migrations')",
    );
    return [...inPostgres.map(({ name }) => name!), ...inClickHouse.map(([name]) => name!)];
  }
}

/** A row of clean/: sale_id, customer_id, product_id, quantity, sale_date, sale_amount, region. */
export type Sale = [string | number, string | number, string | number, number, string, string, string];

/** A row of rejected/: number of the raw part, line, reason, raw text. */
export type Rejected = [number, number, Reason, string];

/** Content of a run for {@linkcode writeRunFiles}. */
export interface RunFiles {
  runId: string;
  asOf?: string;
  /** Clean sales, one list for each part. */
  parts: Sale[][];
  rejected?: Rejected[];
  duplicates?: number;
  /** Lines of products.csv, without the header. */
  products?: string[];
  source?: "generated" | "ingested";
}

async function writePart(
  store: Store,
  folder: string,
  index: number,
  header: string,
  lines: readonly string[],
) {
  const writer = await PartWriter.create(store, folder, partName(index), header);
  await writer.write(new TextEncoder().encode(lines.map((line) => line + "\n").join("")));
  return await writer.close(lines.length);
}

/** Writes a dataset with the given lines, one list for each part. */
export async function writeDataset(
  store: Store,
  run: { runId: string; asOf: string },
  dataset: DatasetName,
  parts: readonly (readonly string[])[],
  facts: Record<string, unknown>,
) {
  const header = dataset === "rejected" ? REJECTED_HEADER : SALE_HEADER;
  const folder = datasetFolder(run.runId, dataset);
  const written = await Promise.all(
    parts.map((lines, index) => writePart(store, folder, index, header, lines)),
  );
  return await publishDataset(store, { dataset, engine: "native", facts, ...run }, written);
}

/** Writes the files of a run as clean leaves them. raw/ holds the clean rows, then the rejected ones, then duplicates. */
export async function writeRunFiles(store: Store, files: RunFiles): Promise<void> {
  const { runId, asOf = "2026-11-24", parts, rejected = [], duplicates = 0, products, source = "ingested" } =
    files;
  const run = { runId, asOf };
  const lines = parts.map((sales) => sales.map((sale) => sale.join(",")));
  const rawLines = lines.map((part) => [...part]);
  if (rawLines.length === 0) rawLines.push([]);
  for (const [, , , raw] of rejected) rawLines[0]!.push(raw);
  for (let i = 0; i < duplicates; i++) rawLines[0]!.push(rawLines[0]![0]!);
  const reasons = zeroReasonCounts();
  for (const [, , reason] of rejected) reasons[reason]++;
  const sales = lines.flat().length;
  const defects = {
    rows: sales,
    raw_rows: sales + rejected.length + duplicates,
    duplicates,
    rejected: rejected.length,
    rejected_by_reason: reasons,
  };
  await writeRun(store, { run_id: runId, as_of: asOf, source, parameters: {} });
  const catalogue = products &&
    ["product_id,name,category,price_from,price_to", ...products].join("\n") + "\n";
  const all = parts.flat();
  const generated = {
    defects,
    sums: {
      quantity: String(all.reduce((sum, sale) => sum + BigInt(sale[3]), 0n)),
      amount: fromCents(all.reduce((sum, sale) => sum + toCents(sale[5]), 0n)),
    },
    products_sha256: createHash("sha256").update(catalogue ?? "").digest("hex"),
  };
  const raw = await writeDataset(store, run, "raw", rawLines, {
    source,
    ...(source === "generated" ? generated : {}),
  });
  const refused = rejected.map(([part, line, reason, text]) =>
    `${partName(part)},${line},${reason},"${text.replaceAll('"', '""')}"`
  );
  const rejects = await writeDataset(store, run, "rejected", [refused], { raw: raw.fingerprint });
  await writeDataset(store, run, "clean", lines, {
    rows_in: raw.rows,
    rows_out: sales,
    duplicates,
    rejected: rejected.length,
    rejected_by_reason: reasons,
    date_from: null,
    date_to: null,
    raw: raw.fingerprint,
    rejects: rejects.fingerprint,
  });
  if (catalogue !== undefined) {
    await store.writeText(`${datasetFolder(runId, "raw")}/products.csv`, catalogue);
  }
}

/** Edits a text file of the store. */
export async function changeText(
  store: Store,
  path: string,
  change: (text: string) => string,
): Promise<void> {
  await store.writeText(path, change((await store.readText(path))!));
}

/** Edits the first part of a dataset and makes the manifest match it again, as someone tampering with data would. */
export async function forgePart(
  store: Store,
  runId: string,
  dataset: DatasetName,
  change: (text: string) => string,
): Promise<void> {
  const folder = datasetFolder(runId, dataset);
  const manifest = JSON.parse((await store.readText(`${folder}/manifest.json`))!);
  const [part] = manifest.parts;
  const text = change((await store.readText(`${folder}/${part.name}`))!);
  await store.writeText(`${folder}/${part.name}`, text);
  const bytes = new TextEncoder().encode(text);
  part.bytes = bytes.length;
  part.sha256 = createHash("sha256").update(bytes).digest("hex");
  manifest.bytes = manifest.parts.reduce((sum: number, { bytes }: Part) => sum + bytes, 0);
  manifest.fingerprint = fingerprint(manifest.parts);
  await store.writeText(`${folder}/manifest.json`, JSON.stringify(manifest, null, 2) + "\n");
}

/** Makes sales that differ in every column, with amounts of `cents` times 1, 2, 3 … */
export function makeSales(
  count: number,
  { from = 1, cents = 1n }: { from?: number; cents?: bigint } = {},
): Sale[] {
  return Array.from({ length: count }, (_, i): Sale => {
    const day = String(1 + i % 28).padStart(2, "0");
    const id = from + i;
    return [
      id,
      1000 + i % 97,
      1 + i % 50,
      1 + i % 5,
      `2026-10-${day}`,
      fromCents(cents * BigInt(i + 1)),
      REGIONS[i % 4]!,
    ];
  });
}

/** Formats row count and sum of sales as {@linkcode SELECT_TOTALS} returns them. */
export function formatTotals(sales: readonly Sale[]): string {
  return `${sales.length} ${fromCents(sales.reduce((sum, sale) => sum + toCents(sale[5]), 0n))}`;
}

/** Selects row count and sum of shop.sales as one text, `totals`. */
export const SELECT_TOTALS =
  "SELECT count(*) || ' ' || coalesce(sum(sale_amount), 0.00) AS totals FROM shop.sales";
