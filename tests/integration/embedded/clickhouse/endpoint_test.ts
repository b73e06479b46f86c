import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { type ClickHouseClient, ClickHouseError, createClient } from "@clickhouse/client";
import { Readable } from "node:stream";
import { gunzipSync, gzipSync } from "node:zlib";
import { type Embedded, startEmbedded } from "../../../../lib/embedded/embedded.ts";
import { waitUntilStopped } from "../harness.ts";

const QUIET = { log: { level: 127 } } as const;
const TABLE =
  "(sale_id UInt64, amount Decimal(18, 2), day Date, note String) ENGINE = MergeTree PARTITION BY day ORDER BY sale_id";

let home: string;
let databases: Embedded<"clickhouse">;
/** The endpoint without credentials, and the credentials. */
let base: URL;
let authorization: string;

async function open(): Promise<void> {
  home = await Deno.makeTempDir();
  databases = await startEmbedded(home, { engines: ["clickhouse"] });
  base = new URL(databases.clickhouseUrl);
  authorization = `Basic ${btoa(`${base.username}:${base.password}`)}`;
  base.username = base.password = "";
}

async function close(): Promise<void> {
  await databases.close();
  await waitUntilStopped(home);
  await Deno.remove(home, { recursive: true });
}

interface RequestOptions {
  query?: Record<string, string>;
  body?: BodyInit;
  headers?: Record<string, string>;
  method?: string;
}

/** Sends one request like curl. */
function send({ query = {}, body, headers = {}, method }: RequestOptions): Promise<Response> {
  const url = new URL(base);
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  return fetch(url, {
    method: method ?? (body === undefined ? "GET" : "POST"),
    headers: { authorization, ...headers },
    ...(body === undefined ? {} : { body }),
  });
}

async function sendOk(request: RequestOptions): Promise<string> {
  const response = await send(request);
  const text = await response.text();
  assertEquals(response.status, 200, text);
  return text;
}

describe("openEndpoint()", () => {
  beforeAll(open);
  afterAll(close);

  const cases: [what: string, request: RequestOptions, expected: string][] = [
    ["a query in the URL", { query: { query: "SELECT 1" } }, "1\n"],
    ["a query in the body", { body: "SELECT 1 AS a FORMAT JSONEachRow" }, '{"a":1}\n'],
    ["a format in the URL", { query: { default_format: "CSVWithNames" }, body: "SELECT 1 AS a" }, '"a"\n1\n'],
    ["a format header", { body: "SELECT 1 AS a", headers: { "X-ClickHouse-Format": "Values" } }, "(1)"],
    [
      "a setting in the URL",
      { query: { max_threads: "3" }, body: "SELECT getSetting('max_threads')" },
      "3\n",
    ],
    [
      "a database in the URL",
      { query: { database: "system" }, body: "SELECT currentDatabase()" },
      "system\n",
    ],
    [
      "a database header",
      { body: "SELECT currentDatabase()", headers: { "X-ClickHouse-Database": "system" } },
      "system\n",
    ],
    ["a number as parameter", { query: { param_a: "42" }, body: "SELECT {a:UInt8} + 1" }, "43\n"],
    [
      "a date as parameter",
      { query: { param_a: "2026-11-24" }, body: "SELECT {a:Date} + 1" },
      "2026-11-25\n",
    ],
    [
      "an escaped text as parameter",
      { query: { param_a: "x\\ty\\\\'z" }, body: "SELECT length({a:String})" },
      `${"x\ty\\'z".length}\n`,
    ],
    ["a list as parameter", { query: { param_a: "['a','b']" }, body: "SELECT {a:Array(String)}[2]" }, "b\n"],
    [
      "a name as parameter",
      { query: { param_t: "one" }, body: "SELECT * FROM system.{t:Identifier}" },
      "0\n",
    ],
    ["the time zone", { body: "SELECT timezone()" }, "UTC\n"],
    ["a semicolon at the end", { body: "SELECT 1;" }, "1\n"],
  ];
  for (const [what, request, expected] of cases) {
    it(`handles ${what}`, async () => assertEquals(await sendOk(request), expected));
  }

  it("returns Ok. to a ping without credentials", async () => {
    for (const path of ["/ping", "/", "/replicas_status"]) {
      const response = await fetch(new URL(path, base));
      assertEquals([response.status, await response.text()], [200, "Ok.\n"]);
    }
    const response = await fetch(new URL("/nowhere", base));
    assertEquals(response.status, 404);
    await response.body?.cancel();
  });

  it("sends query id, format, time zone and summary in headers", async () => {
    const response = await send({
      query: { query_id: "q-1" },
      body: "SELECT number FROM numbers(10) FORMAT JSON",
    });
    await response.body?.cancel();
    const { headers } = response;
    assertEquals(headers.get("X-ClickHouse-Query-Id"), "q-1");
    assertEquals(headers.get("X-ClickHouse-Format"), "JSON");
    assertEquals(headers.get("X-ClickHouse-Timezone"), "UTC");
    assertEquals(headers.get("Content-Type"), "application/json; charset=UTF-8");
    const { read_rows, result_rows } = JSON.parse(headers.get("X-ClickHouse-Summary") ?? "{}");
    assertEquals([read_rows, result_rows], ["10", "10"]);
  });

  const rejections: [what: string, request: RequestOptions, status: number, code: number][] = [
    ["a syntax error", { body: "SELEC 1" }, 400, 62],
    ["an unknown table", { body: "SELECT * FROM nowhere" }, 404, 60],
    ["an unknown database", { query: { database: "nowhere" }, body: "SELECT 1" }, 404, 81],
    ["an unknown setting", { query: { nonsense: "1" }, body: "SELECT 1" }, 404, 115],
    ["an unknown format", { body: "SELECT 1 FORMAT Nonsense" }, 404, 73],
    ["a missing parameter", { body: "SELECT {a:UInt8}" }, 500, 456],
    ["a parameter of the wrong type", { query: { param_a: "x" }, body: "SELECT {a:UInt8}" }, 500, 457],
    [
      "a query that takes too long",
      { query: { max_execution_time: "1" }, body: "SELECT sleep(3)" },
      408,
      159,
    ],
    ["too much memory", { body: "SELECT length(groupArray(number)) FROM numbers(500000000)" }, 500, 241],
    ["several statements", { body: "SELECT 1; SELECT 2" }, 400, 62],
    ["a change by GET", { query: { query: "CREATE DATABASE by_get" } }, 500, 164],
    ["an INSERT by GET", { query: { query: "INSERT INTO system.one FORMAT TSV" } }, 500, 164],
    ["the native compression", { query: { compress: "1" }, body: "SELECT 1" }, 501, 48],
  ];
  for (const [what, request, status, code] of rejections) {
    it(`rejects ${what} with status ${status} and code ${code}`, async () => {
      const response = await send(request);
      const text = await response.text();
      assertEquals([response.status, response.headers.get("X-ClickHouse-Exception-Code")], [
        status,
        String(code),
      ], text);
      assertMatch(text, new RegExp(`^Code: ${code}\\. DB::Exception: [^]* \\(version [0-9.]+\\)\\n$`));
    });
  }

  const logins: [
    what: string,
    query: Record<string, string>,
    headers: Record<string, string>,
    status: number,
  ][] = [
    ["a request without credentials", {}, {}, 401],
    ["a wrong password", {}, { authorization: `Basic ${btoa("default:wrong")}` }, 403],
    ["an unknown user", { user: "stranger", password: "x" }, {}, 403],
    [
      "ClickHouse's headers with a wrong key",
      {},
      { "X-ClickHouse-User": "default", "X-ClickHouse-Key": "x" },
      403,
    ],
  ];
  for (const [what, query, headers, status] of logins) {
    it(`returns ${status} for ${what}`, async () => {
      const response = await send({ query, body: "SELECT 1", headers: { authorization: "", ...headers } });
      await response.body?.cancel();
      assertEquals(response.status, status);
    });
  }

  it("accepts Basic authentication, ClickHouse's headers and the URL", async () => {
    const { username, password } = new URL(databases.clickhouseUrl);
    const none = { authorization: "" };
    const key = { ...none, "X-ClickHouse-User": username, "X-ClickHouse-Key": password };
    assertEquals(await sendOk({ body: "SELECT 1" }), "1\n");
    assertEquals(await sendOk({ body: "SELECT 1", headers: key }), "1\n");
    assertEquals(
      await sendOk({ query: { user: username, password }, body: "SELECT 1", headers: none }),
      "1\n",
    );
  });

  it("returns 405 for methods that ClickHouse does not support", async () => {
    for (const method of ["PUT", "DELETE", "PATCH"]) {
      const response = await send({ method, query: { query: "SELECT 1" } });
      assertEquals([response.status, await response.text()], [405, `There is no method ${method}\n`]);
    }
  });

  it("compresses the response with gzip when requested", async () => {
    const url = new URL(base);
    url.search = String(new URLSearchParams({ query: "SELECT 'x'", enable_http_compression: "1" }));
    const { stdout } = await new Deno.Command("curl", {
      args: ["-s", "-H", "Accept-Encoding: gzip", "-H", `Authorization: ${authorization}`, url.href],
    }).output();
    assertEquals(new TextDecoder().decode(gunzipSync(stdout)), "x\n");
  });

  it("inserts rows from the URL and the body, compressed or not", async () => {
    await sendOk({ body: `CREATE TABLE sales ${TABLE}` });
    const insert = { query: "INSERT INTO sales FORMAT CSV" };
    const compressed = new Uint8Array(gzipSync("2,1.50,2026-11-24,b\n"));
    await sendOk({ query: insert, body: "1,0.10,2026-11-24,a\n" });
    await sendOk({ query: insert, body: compressed, headers: { "Content-Encoding": "gzip" } });
    await sendOk({ body: "INSERT INTO sales VALUES (3, 0.40, '2026-11-24', 'it''s')" });
    await sendOk({
      body: 'INSERT INTO sales FORMAT JSONEachRow {"sale_id":4,"amount":"1.00","day":"2026-11-25"}',
    });
    assertEquals(
      await sendOk({ body: "SELECT count(), sum(amount), max(note) FROM sales" }),
      "4\t3\tit\\'s\n",
    );
    await sendOk({ body: "DROP TABLE sales" });
  });

  it("names the value that cannot be parsed", async () => {
    await sendOk({ body: `CREATE TABLE broken ${TABLE}` });
    const response = await send({
      query: { query: "INSERT INTO broken FORMAT CSV" },
      body: "1,0.10,nonsense,a\n",
    });
    const text = await response.text();
    assertEquals(response.status, 400, text);
    assertStringIncludes(text, "nonsense");
    assertEquals(await sendOk({ body: "SELECT count() FROM broken" }), "0\n");
    await sendOk({ body: "DROP TABLE broken" });
  });
});

describe("openEndpoint() with @clickhouse/client", () => {
  let client: ClickHouseClient;

  beforeAll(async () => {
    await open();
    const compression = { request: true, response: true };
    client = createClient({ url: databases.clickhouseUrl, compression, ...QUIET });
  });

  afterAll(async () => {
    await client.close();
    await close();
  });

  const rows = async (query: string, query_params: Record<string, unknown> = {}) =>
    await (await client.query({ query, query_params, format: "JSONEachRow" })).json();

  it("pings", async () => assert((await client.ping()).success));

  it("inserts objects and streams, and replaces a partition", async () => {
    for (const name of ["shop.sales", "shop.staging"]) {
      if (name === "shop.sales") await client.command({ query: "CREATE DATABASE shop" });
      await client.command({ query: `CREATE TABLE ${name} ${TABLE}` });
    }
    const day = "2026-11-24";
    const values = [{ sale_id: "1", amount: "999999999999.99", day, note: "Север\t'" }];
    const { summary } = await client.insert({ table: "shop.sales", values, format: "JSONEachRow" });
    assertEquals(summary?.written_rows, "1");
    const lines = Readable.from(Array.from({ length: 20_000 }, (_, at) => `${at},0.01,${day},x\n`), {
      objectMode: false,
    });
    await client.insert({ table: "shop.staging", values: lines, format: "CSV" });
    await client.command({ query: `ALTER TABLE shop.sales REPLACE PARTITION '${day}' FROM shop.staging` });
    const query =
      "SELECT count() AS n, toString(sum(amount)) AS total FROM shop.sales WHERE day = {day:Date}";
    assertEquals(await rows(query, { day }), [{ n: 20_000, total: "200" }]);
  });

  it("binds text unchanged", async () => {
    const nasty = 'it\'s \\ a "test"\t\n{a:String} 😀';
    assertEquals(await rows("SELECT {a:String} AS a, {b:Array(String)} AS b", { a: nasty, b: [nasty] }), [
      { a: nasty, b: [nasty] },
    ]);
  });

  it("streams a large result", async () => {
    const result = await client.query({ query: "SELECT number FROM numbers(300000)", format: "CSV" });
    let count = 0;
    for await (const part of result.stream()) count += part.length;
    assertEquals(count, 300_000);
  });

  it("receives typed errors", async () => {
    const error = await assertRejects(
      () => client.query({ query: "SELECT * FROM nowhere.t" }),
      ClickHouseError,
    );
    assertEquals([error.code, error.type], ["81", "UNKNOWN_DATABASE"]);
  });

  it("runs many queries concurrently", async () => {
    const numbers = Array.from({ length: 40 }, (_, at) => at);
    const results = await Promise.all(numbers.map((at) => rows(`SELECT ${at} AS n, sleep(0.05) AS s`)));
    assertEquals(results, numbers.map((n) => [{ n, s: 0 }]));
  });
});
