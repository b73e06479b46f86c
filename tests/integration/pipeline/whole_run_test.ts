import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { divideHalfUp, fromCents, toCents } from "../../../lib/domain/money.ts";
import { STAGES } from "../../../lib/pipeline/stage.ts";
import { REASONS, REGIONS } from "../../../lib/domain/sale.ts";
import { type CommandResult, logLines, run, type Servers, startServers } from "../../cli/command.ts";
import { findDifferences, readState, type State } from "../../faults/state.ts";
import { findLeftovers } from "../../faults/traces.ts";

const AS_OF = "2026-11-24";
const ROWS = 20_000;

type Row = Record<string, string>;

let home: string;
let first: CommandResult;
let servers: Servers;
let state: State;

beforeAll(async () => {
  home = await Deno.makeTempDir({ prefix: "salesflow-run-" });
  first = await run(["run", "--rows", String(ROWS), "--as-of", AS_OF, "--home", home]);
  servers = await startServers(home);
  state = await readState(home, AS_OF);
});
afterAll(async () => {
  await servers.stop();
  await Deno.remove(home, { recursive: true });
});

async function sql(database: "postgres" | "clickhouse", query: string): Promise<Row[]> {
  const { code, stdout, stderr } = await run(["sql", database, query, "--format", "json", "--home", home]);
  assertEquals(code, 0, stderr);
  return JSON.parse(stdout);
}

async function json(path: string) {
  return JSON.parse(await Deno.readTextFile(`${home}/runs/${AS_OF}/${path}`));
}

/** Reads all clean rows from the files. */
async function cleanRows(): Promise<string[][]> {
  const rows: string[][] = [];
  for (const { name } of (await json("clean/manifest.json")).parts) {
    const text = await Deno.readTextFile(`${home}/runs/${AS_OF}/clean/${name}`);
    for (const line of text.trimEnd().split("\n").slice(1)) rows.push(line.split(","));
  }
  return rows;
}

describe("salesflow run", () => {
  it("executes every stage and prints a summary to stdout", async () => {
    assertEquals(first.code, 0, first.stderr);
    const stages = logLines(first.stderr).filter(({ seconds }) => seconds !== undefined);
    assertEquals(stages.map(({ logger }) => logger), STAGES.map((stage) => `salesflow.${stage}`));
    for (
      const part of [
        "20 000",
        "duplicates",
        "conflicting_duplicate",
        ...REGIONS,
        "Top products",
        "report.html",
      ]
    ) {
      assertStringIncludes(first.stdout.replace(/[\u00a0\u202f]/g, " "), part);
    }
    for (const stage of STAGES) {
      const { status, attempt, seconds, error } = await json(`stages/${stage}.json`);
      assertEquals([status, attempt, error], ["done", 1, null], stage);
      assert(seconds >= 0);
    }
  });

  it("loads exactly the clean rows, and every rejected row with its reason", async () => {
    const rows = await cleanRows();
    const cents = rows.reduce((sum, row) => sum + toCents(row[5]!), 0n);
    const [sales] = await sql(
      "postgres",
      "SELECT count(*), sum(sale_amount), sum(quantity) AS units, count(DISTINCT sale_id) AS ids FROM shop.sales",
    );
    const units = rows.reduce((sum, row) => sum + Number(row[3]), 0);
    assertEquals(sales, { count: `${ROWS}`, sum: fromCents(cents), units: `${units}`, ids: `${ROWS}` });
    const rejected = await sql(
      "postgres",
      "SELECT reason, count(*) FROM shop.rejected_sales GROUP BY reason",
    );
    const { rejected_by_reason, duplicates, raw_rows } = await json("raw/defects.json");
    assertEquals(
      Object.fromEntries(rejected.map(({ reason, count }) => [reason, Number(count)])),
      rejected_by_reason,
    );
    assertEquals(Object.keys(rejected_by_reason), [...REASONS]);
    const { facts } = await json("clean/manifest.json");
    assertEquals([facts.rows_in, facts.duplicates], [raw_rows, duplicates]);
  });

  it("writes the same aggregates to both databases as a recount of the files", async () => {
    const rows = await cleanRows();
    const total = rows.reduce((sum, row) => sum + toCents(row[5]!), 0n);
    const expected = REGIONS.map((region) => {
      const own = rows.filter((row) => row[6] === region);
      const cents = own.reduce((sum, row) => sum + toCents(row[5]!), 0n);
      return {
        region,
        total_sales: `${own.length}`,
        total_quantity: `${own.reduce((sum, row) => sum + Number(row[3]), 0)}`,
        total_amount: fromCents(cents),
        average_sale_amount: fromCents(divideHalfUp(cents, BigInt(own.length))),
        amount_share: `0.${divideHalfUp(cents, total, 1_000_000n).toString().padStart(6, "0")}`,
      };
    }).sort((a, b) => a.region < b.region ? -1 : 1);
    const columns = "region, total_sales, total_quantity, total_amount, average_sale_amount, amount_share";
    const query = `SELECT ${columns} FROM shop.sales_aggregates WHERE level = 'region' ORDER BY region`;
    assertEquals(await sql("postgres", query), expected);
    assertEquals(await sql("clickhouse", query), expected);
    const levels =
      "SELECT level, count(*) AS rows, sum(total_sales) AS sales FROM shop.sales_aggregates GROUP BY level ORDER BY level";
    const [postgres, clickhouse] = [await sql("postgres", levels), await sql("clickhouse", levels)];
    assertEquals(postgres, clickhouse);
    assertEquals(postgres.map(({ level, sales }) => [level, sales]), [
      ["product", `${ROWS}`],
      ["region", `${ROWS}`],
      ["region_product", `${ROWS}`],
      ["total", `${ROWS}`],
    ]);
  });

  it("writes a report without network references", async () => {
    const html = await Deno.readTextFile(`${home}/runs/${AS_OF}/report/report.html`);
    assertMatch(html, /^<!doctype html>/i);
    assertStringIncludes(html, "<svg");
    assert(!/(src|href)="(https?:)?\/\//.test(html));
  });

  it("writes the same files and tables again, and leaves nothing else", async () => {
    const again = await run([
      "run",
      "--rows",
      String(ROWS),
      "--as-of",
      AS_OF,
      "--home",
      home,
      "--partitions",
      "3",
    ]);
    assertEquals(again.code, 0, again.stderr);
    assertEquals((await json("stages/report.json")).attempt, 2);
    const second = await readState(home, AS_OF);
    // Other part boundaries change the files, and rejected rows name their part; all else is equal.
    assertEquals(findDifferences(second, state), [
      "raw differs",
      "clean differs",
      "rejected differs",
      "shop.rejected_sales differs",
    ]);
    assertEquals((await run(["run", "--rows", String(ROWS), "--as-of", AS_OF, "--home", home])).code, 0);
    assertEquals(findDifferences(await readState(home, AS_OF), state), []);
    await servers.stop();
    assertEquals(await findLeftovers(home, AS_OF), []);
    servers = await startServers(home);
  });

  it("keeps the aggregates of other dates in ClickHouse, and reports which run PostgreSQL holds", async () => {
    const args = ["run", "--rows", "3000", "--as-of", "2026-11-17", "--home", home, "--quiet"];
    assertEquals(await run(args), { code: 0, stdout: "", stderr: "" });
    assertEquals(
      await sql(
        "clickhouse",
        "SELECT toString(import_date) AS date, sum(total_sales) AS sales FROM shop.sales_aggregates WHERE level = 'total' GROUP BY date ORDER BY date",
      ),
      [{ date: "2026-11-17", sales: "3000" }, { date: AS_OF, sales: `${ROWS}` }],
    );
    const verified = await run(["verify", "--run-id", AS_OF, "--home", home]);
    assertEquals([verified.code, verified.stdout], [1, ""]);
    assertStringIncludes(verified.stderr, "holds the rows of run 2026-11-17");
    assertEquals((await run(["run", "--from", "load", "--run-id", AS_OF, "--home", home])).code, 0);
    assertEquals((await run(["verify", "--run-id", AS_OF, "--home", home])).code, 0);
  });
});
