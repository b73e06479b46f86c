/** Readers of every table while load, aggregate and transfer run in a loop, and two commands at once. */
import { withClickHouse } from "../../lib/clickhouse/session.ts";
import { startEmbedded } from "../../lib/embedded/embedded.ts";
import { withPostgres } from "../../lib/postgres/session.ts";
import { type Outcome, run } from "./command.ts";
import type { FaultResult } from "./result.ts";

const RUNS = ["one", "two"] as const;
const CALM = new AbortController().signal;

/** One look at a table: figures of all rows in one value. */
interface Table {
  name: string;
  ask(): Promise<string>;
}

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

/** Two runs take turns in the tables while every table is read; then two commands start at once. */
export async function readerFaults(home: string, rows: number, turns: number): Promise<FaultResult[]> {
  const databases = await startEmbedded(home);
  try {
    for (const [index, runId] of RUNS.entries()) {
      const sales = ["--rows", String(rows + index), "--seed", String(index + 1), "--as-of", "2026-11-24"];
      await mustWork(run(["run", "--run-id", runId, ...sales, "--to", "transfer"], env(home)));
    }
    const { postgresUrl, clickhouseUrl } = databases;
    return await withPostgres(
      { url: postgresUrl, stage: "sales reader", signal: CALM },
      (sales) =>
        withPostgres(
          { url: postgresUrl, stage: "aggregates reader", signal: CALM },
          (aggregates) =>
            withClickHouse({ url: clickhouseUrl, stage: "reader", signal: CALM }, async (clickhouse) => {
              const figure = "count(*) || ' ' || sum(";
              const tables: Table[] = [
                {
                  name: "shop.sales",
                  ask: async () =>
                    (await sales.one(`SELECT ${figure}sale_amount) AS seen FROM shop.sales`)).seen!,
                },
                {
                  name: "shop.sales_aggregates",
                  ask: async () =>
                    (await aggregates.one(
                      `SELECT ${figure}total_amount) || ' ' || min(run_id) || ' ' || max(run_id) AS seen FROM shop.sales_aggregates`,
                    )).seen!,
                },
                {
                  name: "ClickHouse shop.sales_aggregates",
                  ask: async () =>
                    (await clickhouse.rows(
                      "SELECT concat(toString(count()), ' ', toString(sum(total_amount)), ' ', min(run_id), ' ', max(run_id)) FROM shop.sales_aggregates",
                    ))[0]![0]!,
                },
              ];
              const watching = await watchTurns(home, tables, turns);
              return [...watching, await twoAtOnce(home, tables)];
            }),
        ),
    );
  } finally {
    await databases.close();
  }
}

async function watchTurns(home: string, tables: readonly Table[], turns: number): Promise<FaultResult[]> {
  const whole = tables.map(() => new Set<string>());
  for (const runId of RUNS) {
    await mustWork(publish(home, runId));
    for (const [index, { ask }] of tables.entries()) whole[index]!.add(await ask());
  }
  let done = false;
  const watching = Promise.all(tables.map((table) => watch(table, () => done)));
  try {
    for (let turn = 0; turn < turns; turn++) await mustWork(publish(home, RUNS[turn % RUNS.length]!));
  } finally {
    done = true;
  }
  return (await watching).map(({ seen, looks, longestMs }, index) => {
    const torn = [...seen].filter((state) => !whole[index]!.has(state));
    const wrong = torn.length > 0
      ? [`a reader saw ${torn.join(", ")}; whole are ${[...whole[index]!].join(", ")}`]
      : [];
    if (seen.size < RUNS.length) wrong.push("the readers never saw the tables change");
    return {
      fault: `reading ${tables[index]!.name} while it is replaced ${turns} times`,
      tried: looks,
      outcome: `only whole states; longest wait ${longestMs.toFixed(0)} ms`,
      wrong,
    };
  });
}

/** The same run twice: one is refused. Two runs: one after the other, each whole. */
async function twoAtOnce(home: string, tables: readonly Table[]): Promise<FaultResult> {
  const wrong: string[] = [];
  const codes = (await Promise.all([publish(home, "one"), publish(home, "one")])).map(({ code, stderr }) => {
    if (code === 75 && !stderr.includes("Another salesflow command")) wrong.push(stderr.slice(-400));
    return code;
  });
  if (codes.toSorted((a, b) => a - b).join() !== "0,75") {
    wrong.push(`the same run twice ended with ${codes.join(" and ")}`);
  }
  for (const { code, stderr } of await Promise.all(RUNS.map((runId) => publish(home, runId)))) {
    // The second of them to look may find the sales of the other: it says so and touches nothing.
    const refused = code === 75 ||
      (code === 1 && /holds the rows of run (one|two), not those of/.test(stderr));
    if (code !== 0 && !refused) wrong.push(`it ended with ${code}: ${stderr.slice(-400)}`);
  }
  for (const { name, ask } of tables.slice(1)) {
    const state = await ask();
    if (!/ (one|two) \1$/.test(state)) wrong.push(`${name} holds a mix: ${state}`);
  }
  return {
    fault: "two commands at once",
    tried: 2,
    outcome: "one at a time, or refused with 75; never a mix",
    wrong,
  };
}
