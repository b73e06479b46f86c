/**
 * Runs statements on an {@linkcode Engine} for engine_test.ts and prints the results as JSON. It is a program of its own
 * because a process cannot unload the library.
 */
import {
  type Connection,
  Engine,
  type Params,
  QueryClass,
} from "../../../../lib/embedded/clickhouse/engine.ts";

const [library = "", folder = "", config = ""] = Deno.args;
const engine = await Engine.open(library, folder, config);
const connection = await engine.connect();
const encoder = new TextEncoder();

async function query(sql: string, params?: Params, session: Connection = connection): Promise<string> {
  return new TextDecoder().decode((await session.query(sql, "TabSeparated", params)).body);
}

async function failure(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "no error";
  } catch (error) {
    return String(error);
  }
}

async function* chunks(...texts: string[]): AsyncIterable<Uint8Array<ArrayBuffer>> {
  for (const text of texts) yield encoder.encode(text);
}

async function insert(): Promise<unknown> {
  await query("CREATE TABLE parts (a UInt32) ENGINE = MergeTree ORDER BY a");
  const rows = chunks("1\n2", "", "2\n3\n");
  const { writtenRows } = await connection.insert("INSERT INTO parts", "CSV", rows);
  return { writtenRows: Number(writtenRows), values: await query("SELECT a FROM parts ORDER BY a") };
}

async function insertInvalidRow(): Promise<unknown> {
  await query("CREATE TABLE empty (a UInt32) ENGINE = MergeTree ORDER BY a");
  const error = await failure(connection.insert("INSERT INTO empty", "CSV", chunks("1\n", "x\n")));
  return { error, rows: await query("SELECT count() FROM empty") };
}

function classify(sql: string): unknown {
  const { statements, queryClass } = connection.classify(encoder.encode(sql));
  return [statements, Object.entries(QueryClass).find(([, value]) => value === queryClass)?.[0]];
}

async function temporaryTable(): Promise<string> {
  const other = await engine.connect();
  await other.query("CREATE TEMPORARY TABLE mine (a UInt8)", "Null");
  const error = await failure(query("SELECT * FROM mine"));
  await other.close();
  return error;
}

async function cancel(): Promise<string> {
  const other = await engine.connect();
  const sleep = "SELECT sleepEachRow(1) FROM numbers(100) SETTINGS max_block_size = 1";
  const error = failure(query(sleep, undefined, other));
  const count = "SELECT count() FROM system.processes WHERE startsWith(query, 'SELECT sleepEachRow')";
  while (await query(count) !== "1\n");
  await engine.cancelAll();
  return await error.finally(() => other.close());
}

const { body, readRows, resultRows, writtenRows } = await connection.query(
  "SELECT number FROM numbers(3)",
  "CSV",
);
const results = {
  query: [new TextDecoder().decode(body), ...[readRows, resultRows, writtenRows].map(Number)],
  params: await query("SELECT {a:String}, {b:UInt8}", new Map([["a", "Север"], ["b", "7"]])),
  unknownTable: await failure(query("SELECT * FROM missing")),
  insert: await insert(),
  insertInvalidRow: await insertInvalidRow(),
  classes: ["SELECT 1", "DROP TABLE a", "INSERT INTO a SELECT 1", "SELECT 1; SELECT 2", "SELEC 1"].map(
    classify,
  ),
  temporaryTable: await temporaryTable(),
  cancel: await cancel(),
};
await connection.close();
await engine.close();
console.log(JSON.stringify(results));
Deno.exit(0);
