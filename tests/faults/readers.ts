/** Readers of every table while load, aggregate and transfer run in a loop, and two commands at once. */
import { type ClickHouse, withClickHouse } from "../../lib/clickhouse/session.ts";
import { startEmbedded } from "../../lib/embedded/embedded.ts";
import { type Postgres, withPostgres } from "../../lib/postgres/session.ts";
import { type Outcome, run } from "./command.ts";
import type { FaultResult } from "./result.ts";

const RUNS = ["one", "two"] as const;
/** How often two commands start at once. */
const ENCOUNTERS = 5;
/** What a command says that finds the rows of the other run in the tables: trying again does not help it. */
const OTHER_RUN = /holds the rows of run (one|two), not those of|was computed by run (one|two), not by/;
const CALM = new AbortController().signal;

const SALES = "(SELECT count(*) || ' ' || sum(sale_amount) FROM shop.sales)";
const PRODUCTS = "(SELECT count(*) || ' ' || sum(price_from + price_to) FROM shop.products)";
const REJECTED =
  "(SELECT string_agg(run_id || ' ' || rows || ' ' || lines, ', ' ORDER BY run_id) FROM (SELECT run_id, count(*) AS rows, sum(line) AS lines FROM shop.rejected_sales GROUP BY run_id) AS r)";
const LOADED =
  "(SELECT count(*) || ' ' || sum(raw_rows) || ' ' || (array_agg(run_id ORDER BY loaded_at DESC))[1] FROM shop.pipeline_runs)";
/** What is read in PostgreSQL, each in one query by a reader of its own: figures of all rows in one value. */
const LOOKS: Record<string, string> = {
  "shop.sales": SALES,
  "shop.products": PRODUCTS,
  // The rows of both runs are always there.
  "shop.rejected_sales": REJECTED,
  "shop.pipeline_runs": LOADED,
  "all that load publishes, in one query,": [SALES, PRODUCTS, REJECTED, LOADED].join(" || ' | ' || "),
  "shop.sales_aggregates":
    "(SELECT count(*) || ' ' || sum(total_amount) || ' ' || min(run_id) || ' ' || max(run_id) FROM shop.sales_aggregates)",
};
const IMPORTED =
  "SELECT concat(toString(count()), ' ', toString(sum(total_amount)), ' ', min(run_id), ' ', max(run_id)) FROM shop.sales_aggregates";

/** One look at a table. */
interface Table {
  name: string;
  ask(): Promise<string>;
}

/** What each table answers when it is whole, by run. */
type Whole = Record<typeof RUNS[number], string[]>;

interface Watched {
  seen: Set<string>;
  looks: number;
  longestMs: number;
}

/** Looks again and again until told to stop. */
async function watch({ ask }: Table, done: () => boolean): Promise<Watched> {
  const watched: Watched = { seen: new Set(), looks: 0, longestMs: 0 };
  while (!done()) {
    const started = performance.now();
    watched.seen.add(await ask());
    watched.longestMs = Math.max(watched.longestMs, performance.now() - started);
    watched.looks++;
    // Leaves the processors to the command.
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return watched;
}

function env(home: string): Record<string, string> {
  return { SALESFLOW_HOME: home };
}

function publish(home: string, runId: string): Promise<Outcome> {
  return run(["run", "--run-id", runId, "--from", "load", "--to", "transfer"], env(home));
}

async function mustWork(work: Promise<Outcome>): Promise<void> {
  const { code, stderr } = await work;
  if (code !== 0) throw new Error(`an undisturbed command ended with ${code}: ${stderr}`);
}

/** Opens a connection for each of the tables. */
function withTables<T>(
  url: string,
  names: readonly string[],
  work: (tables: Table[]) => Promise<T>,
): Promise<T> {
  const [name, ...rest] = names;
  if (name === undefined) return work([]);
  const look = async (db: Postgres) => (await db.one(`SELECT ${LOOKS[name]} AS seen`)).seen ?? "nothing";
  return withPostgres(
    { url, stage: "reader", signal: CALM },
    (db) => withTables(url, rest, (tables) => work([{ name, ask: () => look(db) }, ...tables])),
  );
}

function imported(db: ClickHouse): Table {
  return {
    name: "ClickHouse shop.sales_aggregates",
    ask: async () => (await db.rows(IMPORTED))[0]![0]!,
  };
}

/** Two runs take turns in the tables while every table is read; then two commands start at once. */
export async function readerFaults(home: string, rows: number, turns: number): Promise<FaultResult[]> {
  const databases = await startEmbedded(home);
  try {
    for (const [index, runId] of RUNS.entries()) {
      const sales = ["--rows", String(rows + index), "--seed", String(index + 1), "--as-of", "2026-11-24"];
      await mustWork(run(["run", "--run-id", runId, ...sales, "--to", "transfer"], env(home)));
    }
    const { postgresUrl, clickhouseUrl: url } = databases;
    return await withTables(
      postgresUrl,
      Object.keys(LOOKS),
      (tables) =>
        withClickHouse({ url, stage: "reader", signal: CALM }, async (clickhouse) => {
          const all = [...tables, imported(clickhouse)];
          const whole = await wholeStates(home, all);
          return [
            ...await watchTurns(home, all, whole, turns),
            await sameRunTwice(home, all, whole),
            await twoRuns(home, all, whole),
          ];
        }),
    );
  } finally {
    await databases.close();
  }
}

function askAll(tables: readonly Table[]): Promise<string[]> {
  return Promise.all(tables.map(({ ask }) => ask()));
}

async function wholeStates(home: string, tables: readonly Table[]): Promise<Whole> {
  const whole: Whole = { one: [], two: [] };
  for (const runId of RUNS) {
    await mustWork(publish(home, runId));
    whole[runId] = await askAll(tables);
  }
  return whole;
}

async function watchTurns(
  home: string,
  tables: readonly Table[],
  whole: Whole,
  turns: number,
): Promise<FaultResult[]> {
  let done = false;
  const watching = Promise.all(tables.map((table) => watch(table, () => done)));
  try {
    for (let turn = 0; turn < turns; turn++) await mustWork(publish(home, RUNS[turn % RUNS.length]!));
  } finally {
    done = true;
  }
  return (await watching).map(({ seen, looks, longestMs }, index) => {
    const expected = new Set(RUNS.map((runId) => whole[runId][index]!));
    const torn = seen.difference(expected);
    const wrong = torn.size > 0
      ? [`a reader saw ${[...torn].join(", ")}; whole are ${[...expected].join(", ")}`]
      : [];
    if (seen.size < expected.size) wrong.push("the readers never saw the tables change");
    return {
      fault: `reading ${tables[index]!.name} while it is replaced ${turns} times`,
      tried: looks,
      outcome: `only whole states; longest wait ${longestMs.toFixed(0)} ms`,
      wrong,
    };
  });
}

/** Says so unless all tables together are those of one of the runs. */
async function mixes(
  tables: readonly Table[],
  whole: Whole,
  runs: readonly (keyof Whole)[],
): Promise<string[]> {
  const found = await askAll(tables);
  if (runs.some((runId) => whole[runId].every((state, index) => state === found[index]))) return [];
  return [`a mix: ${tables.map(({ name }, index) => `${name} ${found[index]}`).join("; ")}`];
}

/** The same run twice at once: one of them is refused. */
async function sameRunTwice(home: string, tables: readonly Table[], whole: Whole): Promise<FaultResult> {
  const wrong: string[] = [];
  let refused = 0;
  for (let turn = 0; turn < ENCOUNTERS; turn++) {
    const runId = RUNS[turn % RUNS.length]!;
    const both = await Promise.all([publish(home, runId), publish(home, runId)]);
    for (const { code, stderr } of both) {
      if (code === 75 && stderr.includes("Another salesflow command")) refused++;
      else if (code !== 0) wrong.push(`it ended with ${code}: ${stderr.slice(-400)}`);
    }
    if (both.every(({ code }) => code !== 0)) wrong.push("none was done");
    wrong.push(...await mixes(tables, whole, [runId]));
  }
  // On a busy machine one may be done before the other begins, but not always.
  if (refused === 0) wrong.push("none was refused");
  return {
    fault: "the same run twice at once",
    tried: ENCOUNTERS,
    outcome: `one done, the other refused with 75 (${refused} times) or done after it`,
    wrong,
  };
}

/** Two runs at once: they take turns, and tables end as those of one of them. */
async function twoRuns(home: string, tables: readonly Table[], whole: Whole): Promise<FaultResult> {
  const wrong: string[] = [];
  let refused = 0;
  for (let turn = 0; turn < ENCOUNTERS; turn++) {
    const both = await Promise.all(RUNS.map((runId) => publish(home, runId)));
    for (const { code, stderr } of both) {
      // The second of them to look may find the sales of the other: it says so and touches nothing.
      if (code === 75 || (code === 1 && OTHER_RUN.test(stderr))) refused++;
      else if (code !== 0) wrong.push(`it ended with ${code}: ${stderr.slice(-400)}`);
    }
    if (both.every(({ code }) => code !== 0)) wrong.push("none was done");
    wrong.push(...await mixes(tables, whole, RUNS));
  }
  return {
    fault: "two runs of different sales at once",
    tried: ENCOUNTERS,
    outcome:
      `all tables are those of one run; the other took its turn before, or was refused (${refused} times)`,
    wrong,
  };
}
