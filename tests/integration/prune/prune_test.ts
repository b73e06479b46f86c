import { assert, assertEquals, assertRejects } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { aggregate } from "../../../lib/aggregate/aggregate.ts";
import { load } from "../../../lib/load/load.ts";
import { migrate } from "../../../lib/migrate/migrate.ts";
import { writeStage } from "../../../lib/pipeline/records.ts";
import { prune, type PruneOptions } from "../../../lib/prune/prune.ts";
import { lockRun } from "../../../lib/store/run_lock.ts";
import { stagingPrefix } from "../../../lib/transfer/staging.ts";
import { transfer } from "../../../lib/transfer/transfer.ts";
import { makeSales, Testbed, writeRunFiles } from "../tables/harness.ts";
import { stageRecord } from "../../unit/pipeline/stage_record.ts";

const NOW = Date.parse("2026-11-24T12:00:00Z");
/** Runs, the oldest first; the last one is what the tables hold. */
const RUNS: readonly [string, string, string, string] = [
  "2026-11-03",
  "2026-11-10",
  "2026-11-17",
  "2026-11-24",
];

describe("prune()", () => {
  let testbed: Testbed;

  beforeAll(async () => {
    testbed = await Testbed.open();
    assertEquals(await pruneWith({ keep: 1 }, { importDates: true }), nothing());
    await migrate(testbed.context("first"));
    for (const [index, date] of RUNS.entries()) await makeRun(date, index);
    await testbed.sql("CREATE TABLE shop.sales_part_0123456789ab (LIKE shop.sales)");
    const prefix = await testbed.postgres(stagingPrefix);
    await testbed.clickhouse(`CREATE TABLE shop.${prefix}left AS shop.sales_aggregates`);
  });
  afterAll(() => testbed.close());

  function nothing() {
    return { runs: [], import_dates: [], staging_tables: [], kept: [] };
  }

  async function makeRun(date: string, index: number): Promise<void> {
    const context = testbed.context(date, { asOf: date });
    const rejected = [[0, 1, "missing_value", "a,b"]] as [number, number, "missing_value", string][];
    await writeRunFiles(testbed.store, {
      runId: date,
      asOf: date,
      parts: [makeSales(10 + index)],
      rejected,
    });
    for (const stage of [load, aggregate, transfer]) await stage(context);
    await testbed.sql("UPDATE shop.pipeline_runs SET loaded_at = $1::date + time '10:00' WHERE run_id = $1", [
      date,
    ]);
    const times = { started_at: `${date}T09:00:00.000Z`, finished_at: `${date}T09:01:00.000Z` };
    await writeStage(testbed.store, date, stageRecord("load", times));
  }

  /** Prunes, and returns the names of what is in the result. */
  async function pruneWith(rule: PruneOptions["rule"], options: Partial<PruneOptions> = {}) {
    const { store, postgresUrl, clickhouseUrl } = testbed;
    const { signal } = new AbortController();
    const result = await prune({ store, postgresUrl, clickhouseUrl, signal }, {
      rule,
      importDates: false,
      dryRun: false,
      nowMs: NOW,
      ...options,
    });
    if (result.runs.length > 0) assert(result.bytes > 0);
    return {
      runs: result.runs.map(({ run_id }) => run_id),
      import_dates: result.import_dates.map(({ import_date }) => import_date),
      staging_tables: result.staging_tables.map(({ database }) => database),
      kept: result.kept.map(({ run_id, reason }) => `${run_id}: ${reason}`),
    };
  }

  /** Everything that is there. */
  async function state() {
    return {
      folders: await testbed.store.list("runs"),
      records: (await testbed.values("SELECT run_id FROM shop.pipeline_runs ORDER BY 1")).flat(),
      rejected: (await testbed.values("SELECT run_id FROM shop.rejected_sales ORDER BY 1")).flat(),
      dates: (await testbed.clickhouse(
        "SELECT DISTINCT import_date FROM shop.sales_aggregates ORDER BY import_date",
      )).flat(),
      staging: (await testbed.findStagingTables()).length,
      sales: (await testbed.values("SELECT count(*) FROM shop.sales")).flat(),
    };
  }

  const everything = {
    folders: [...RUNS],
    records: [...RUNS],
    rejected: [...RUNS],
    dates: [...RUNS],
    staging: 2,
    sales: ["13"],
  };

  it("removes nothing in a dry run, but says what it would", async () => {
    assertEquals(await pruneWith({ olderThanDays: 10 }, { dryRun: true, importDates: true }), {
      runs: ["2026-11-03", "2026-11-10"],
      import_dates: ["2026-11-03", "2026-11-10"],
      staging_tables: ["postgres", "clickhouse"],
      kept: [],
    });
    assertEquals(await state(), everything);
  });

  it("keeps a run on which a command is working", async () => {
    const lock = await lockRun(testbed.store, RUNS[0]);
    const found = await pruneWith({ olderThanDays: 15 });
    await lock.release();
    assertEquals(found.kept, [`${RUNS[0]}: another command is working on it`]);
    assertEquals(await state(), { ...everything, staging: 0 });
  });

  it("removes folder, record and rejected rows of old runs, and import dates only on request", async () => {
    assertEquals(await pruneWith({ keep: 3 }), { ...nothing(), runs: [RUNS[0]] });
    const rest = RUNS.slice(1);
    assertEquals(await state(), {
      ...everything,
      folders: rest,
      records: rest,
      rejected: rest,
      staging: 0,
    });
    assertEquals(await pruneWith({ keep: 3 }, { importDates: true }), {
      ...nothing(),
      import_dates: [RUNS[0]],
    });
  });

  it("removes what PostgreSQL keeps of a run whose folder is gone", async () => {
    await testbed.store.remove(`runs/${RUNS[1]}`);
    const { store, postgresUrl, clickhouseUrl } = testbed;
    const context = { store, postgresUrl, clickhouseUrl, signal: new AbortController().signal };
    const { runs } = await prune(context, { rule: { keep: 2 }, importDates: false, dryRun: false });
    assertEquals(runs.map(({ folder_bytes, rejected_rows }) => [folder_bytes, rejected_rows]), [[null, 1]]);
    assertEquals((await state()).rejected, RUNS.slice(2));
  });

  it("never removes the run in the tables, however old", async () => {
    const found = await pruneWith({ olderThanDays: 1 }, { importDates: true, nowMs: NOW + 1e11 });
    assertEquals(found.runs, [RUNS[2]]);
    assertEquals(found.kept, [`${RUNS[3]}: shop.sales holds its rows`]);
    assertEquals((await state()).folders, [RUNS[3]]);
    assertEquals(await state(), {
      folders: [RUNS[3]],
      records: [RUNS[3]],
      rejected: [RUNS[3]],
      dates: [RUNS[3]],
      staging: 0,
      sales: ["13"],
    });
  });

  it("removes nothing while a run holds the tables", async () => {
    await testbed.postgres(async (db) => {
      await db.query("SELECT pg_advisory_lock(hashtextextended('salesflow:tables', 0))");
      const { store, postgresUrl, clickhouseUrl } = testbed;
      const context = { store, postgresUrl, clickhouseUrl, signal: AbortSignal.timeout(1_000) };
      await assertRejects(() => prune(context, { rule: { keep: 1 }, importDates: false, dryRun: false }));
    });
    assertEquals((await state()).folders, [RUNS[3]]);
  });
});
