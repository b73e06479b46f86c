import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { wantsGzip } from "../../../../lib/embedded/clickhouse/body.ts";
import { EngineError } from "../../../../lib/embedded/clickhouse/engine.ts";
import {
  credentials,
  preparations,
  queryParams,
  readStatement,
} from "../../../../lib/embedded/clickhouse/request.ts";

const decoder = new TextDecoder();

function ask(
  query: Record<string, string>,
  body?: BodyInit,
  headers: Record<string, string> = {},
): [Request, URL] {
  const url = new URL(`http://127.0.0.1/?${new URLSearchParams(query)}`);
  return [new Request(url, body === undefined ? { headers } : { method: "POST", body, headers }), url];
}

async function text(rows: AsyncIterable<Uint8Array>): Promise<string> {
  let all = "";
  for await (const chunk of rows) all += decoder.decode(chunk);
  return all;
}

async function read(...[request, url]: [Request, URL]) {
  const statement = await readStatement(request, url);
  return statement.kind === "query"
    ? { query: decoder.decode(statement.text).trim(), format: statement.format }
    : { insert: statement.statement.trim(), format: statement.format, rows: await text(statement.rows) };
}

const ROWS = "1\tx\n2\ty\n";
const packed = (bytes: Uint8Array) => new Uint8Array(bytes);

describe("readStatement()", () => {
  const cases: [what: string, request: [Request, URL], expected: unknown][] = [
    ["the URL", ask({ query: "SELECT 1" }), { query: "SELECT 1", format: "TabSeparated" }],
    ["the body", ask({}, "SELECT 1"), { query: "SELECT 1", format: "TabSeparated" }],
    ["both", ask({ query: "SELECT 1," }, "2"), { query: "SELECT 1,\n2", format: "TabSeparated" }],
    ["the body, with FORMAT", ask({}, "SELECT 1 FORMAT CSV"), {
      query: "SELECT 1 FORMAT CSV",
      format: "CSV",
    }],
    ["the URL, with default_format", ask({ query: "SELECT 1", default_format: "JSON" }), {
      query: "SELECT 1",
      format: "JSON",
    }],
    ["the body, with a format header", ask({}, "SELECT 1", { "X-ClickHouse-Format": "XML" }), {
      query: "SELECT 1",
      format: "XML",
    }],
    ["the body with rows", ask({}, `INSERT INTO t FORMAT TSV\n${ROWS}`), {
      insert: "INSERT INTO t",
      format: "TSV",
      rows: ROWS,
    }],
    ["the URL, rows in the body", ask({ query: "INSERT INTO t FORMAT TSV" }, ROWS), {
      insert: "INSERT INTO t",
      format: "TSV",
      rows: ROWS,
    }],
    ["the URL, the first row too", ask({ query: "INSERT INTO t FORMAT TSV\n0\tz\n" }, ROWS), {
      insert: "INSERT INTO t",
      format: "TSV",
      rows: `0\tz\n${ROWS}`,
    }],
    ["the URL, format in a header", ask({ query: "INSERT INTO t" }, ROWS, { "X-ClickHouse-Format": "TSV" }), {
      insert: "INSERT INTO t",
      format: "TSV",
      rows: ROWS,
    }],
    ["the URL, no format", ask({ query: "INSERT INTO t" }, "(1),(2)"), {
      insert: "INSERT INTO t",
      format: "Values",
      rows: "(1),(2)",
    }],
    ["the URL, VALUES in the body", ask({ query: "INSERT INTO t VALUES" }, "(1)"), {
      query: "INSERT INTO t VALUES\n(1)",
      format: "TabSeparated",
    }],
  ];
  for (const [what, request, expected] of cases) {
    it(`reads the statement from ${what}`, async () => assertEquals(await read(...request), expected));
  }

  const encodings: [name: string, body: Uint8Array<ArrayBuffer>][] = [
    ["gzip", packed(gzipSync(ROWS))],
    ["deflate", packed(deflateSync(ROWS))],
    ["br", packed(brotliCompressSync(ROWS))],
    ["zstd", packed(zstdCompressSync(ROWS))],
    ["identity", new TextEncoder().encode(ROWS)],
  ];
  for (const [name, body] of encodings) {
    it(`unpacks rows when the content encoding is ${name}`, async () => {
      const request = ask({ query: "INSERT INTO t FORMAT TSV" }, body, { "Content-Encoding": name });
      assertEquals(await read(...request), { insert: "INSERT INTO t", format: "TSV", rows: ROWS });
    });
  }

  it("throws BAD_ARGUMENTS when the content encoding is unknown", async () => {
    await assertRejects(
      () => read(...ask({}, "x", { "Content-Encoding": "snappy" })),
      EngineError,
      "Code: 36.",
    );
  });

  it("throws CANNOT_DECOMPRESS when the body is not what it says", async () => {
    await assertRejects(
      () => read(...ask({}, "x", { "Content-Encoding": "lz4" })),
      EngineError,
      "Code: 271.",
    );
  });

  it("throws NOT_IMPLEMENTED when there are external tables", async () => {
    const body = new FormData();
    body.set("t", new Blob(["1"]));
    await assertRejects(() => read(...ask({ query: "SELECT 1" }, body)), EngineError, "Code: 48.");
  });
});

describe("preparations()", () => {
  const cases: [query: Record<string, string>, headers: Record<string, string>, expected: string[]][] = [
    [{ query: "SELECT 1", default_format: "TSV", param_x: "1", session_id: "s" }, {}, []],
    [{ database: "shop" }, {}, ["USE `shop`"]],
    [{ database: "a" }, { "X-ClickHouse-Database": "b`c\\" }, ["USE `b\\`c\\\\`"]],
    [{ max_threads: "1", date_time_input_format: "best_effort" }, {}, [
      "SET max_threads = '1', date_time_input_format = 'best_effort'",
    ]],
    [{ log_comment: "it's \\ here" }, {}, ["SET log_comment = 'it\\'s \\\\ here'"]],
    [{ compress: "0", decompress: "" }, {}, []],
  ];
  for (const [query, headers, expected] of cases) {
    it(`returns ${JSON.stringify(expected)} when asked ${JSON.stringify({ ...query, ...headers })}`, () => {
      assertEquals(preparations(...ask(query, "", headers)), expected);
    });
  }

  const refused: [query: Record<string, string>, code: string][] = [
    [{ "a; DROP TABLE t": "1" }, "Code: 115."],
    [{ compress: "1" }, "Code: 48."],
    [{ role: "admin" }, "Code: 48."],
  ];
  for (const [query, code] of refused) {
    it(`throws ${code} when asked ${JSON.stringify(query)}`, () => {
      assertThrows(() => preparations(...ask(query, "")), EngineError, code);
    });
  }
});

describe("queryParams()", () => {
  it("returns what begins with param_, as it was sent", () => {
    const [, url] = ask({ param_a: "1", param_b: "x\\ty", param_: "", other: "2" });
    assertEquals([...queryParams(url)], [["a", "1"], ["b", "x\\ty"], ["", ""]]);
  });
});

describe("credentials()", () => {
  const basic = (pair: string) => ({ Authorization: `Basic ${btoa(pair)}` });
  const cases: [
    query: Record<string, string>,
    headers: Record<string, string>,
    user: string,
    password: string,
  ][] = [
    [{}, {}, "default", ""],
    [{ user: "u", password: "p" }, {}, "u", "p"],
    [{ user: "u", password: "p" }, basic("b:c:d"), "b", "c:d"],
    [{}, basic("b"), "b", ""],
    [{}, { Authorization: "Basic ***" }, "", ""],
    [{}, { ...basic("b:c"), "X-ClickHouse-User": "h", "X-ClickHouse-Key": "k" }, "h", "k"],
    [{}, { "X-ClickHouse-Key": "k" }, "default", "k"],
  ];
  for (const [query, headers, user, password] of cases) {
    it(`finds ${user}/${password} in ${JSON.stringify({ ...query, ...headers })}`, () => {
      assertEquals(credentials(...ask(query, "", headers)), { user, password });
    });
  }
});

describe("wantsGzip()", () => {
  const cases: [query: Record<string, string>, accepted: string, expected: boolean][] = [
    [{ enable_http_compression: "1" }, "gzip", true],
    [{ enable_http_compression: "1" }, "br, gzip;q=0.8", true],
    [{ enable_http_compression: "1" }, "br", false],
    [{ enable_http_compression: "0" }, "gzip", false],
    [{}, "gzip", false],
  ];
  for (const [query, accepted, expected] of cases) {
    it(`returns ${expected} when asked ${JSON.stringify(query)} and accepting ${accepted}`, () => {
      assertEquals(wantsGzip(...ask(query, "", { "Accept-Encoding": accepted })), expected);
    });
  }
});
