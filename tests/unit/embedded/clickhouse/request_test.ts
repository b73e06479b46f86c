import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { EngineError } from "../../../../lib/embedded/clickhouse/engine.ts";
import {
  readCredentials,
  readQueryParams,
  readStatement,
  sessionStatements,
} from "../../../../lib/embedded/clickhouse/request.ts";

const decoder = new TextDecoder();

function createRequest(
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

describe("readStatement()", () => {
  const cases: [what: string, request: [Request, URL], expected: unknown][] = [
    ["the URL", createRequest({ query: "SELECT 1" }), { query: "SELECT 1", format: "TabSeparated" }],
    ["the body", createRequest({}, "SELECT 1"), { query: "SELECT 1", format: "TabSeparated" }],
    ["both", createRequest({ query: "SELECT 1," }, "2"), { query: "SELECT 1,\n2", format: "TabSeparated" }],
    ["the body, with FORMAT", createRequest({}, "SELECT 1 FORMAT CSV"), {
      query: "SELECT 1 FORMAT CSV",
      format: "CSV",
    }],
    ["the URL, with default_format", createRequest({ query: "SELECT 1", default_format: "JSON" }), {
      query: "SELECT 1",
      format: "JSON",
    }],
    ["the body, with a format header", createRequest({}, "SELECT 1", { "X-ClickHouse-Format": "XML" }), {
      query: "SELECT 1",
      format: "XML",
    }],
    ["the body with rows", createRequest({}, `INSERT INTO t FORMAT TSV\n${ROWS}`), {
      insert: "INSERT INTO t",
      format: "TSV",
      rows: ROWS,
    }],
    ["the URL, rows in the body", createRequest({ query: "INSERT INTO t FORMAT TSV" }, ROWS), {
      insert: "INSERT INTO t",
      format: "TSV",
      rows: ROWS,
    }],
    ["the URL, the first row too", createRequest({ query: "INSERT INTO t FORMAT TSV\n0\tz\n" }, ROWS), {
      insert: "INSERT INTO t",
      format: "TSV",
      rows: `0\tz\n${ROWS}`,
    }],
    [
      "the URL, format in a header",
      createRequest({ query: "INSERT INTO t" }, ROWS, { "X-ClickHouse-Format": "TSV" }),
      {
        insert: "INSERT INTO t",
        format: "TSV",
        rows: ROWS,
      },
    ],
    ["the URL, no format", createRequest({ query: "INSERT INTO t" }, "(1),(2)"), {
      insert: "INSERT INTO t",
      format: "Values",
      rows: "(1),(2)",
    }],
    ["the URL, VALUES in the body", createRequest({ query: "INSERT INTO t VALUES" }, "(1)"), {
      query: "INSERT INTO t VALUES\n(1)",
      format: "TabSeparated",
    }],
  ];
  for (const [what, request, expected] of cases) {
    it(`reads the statement from ${what}`, async () => assertEquals(await read(...request), expected));
  }

  it("throws NOT_IMPLEMENTED when the request has external tables", async () => {
    const body = new FormData();
    body.set("t", new Blob(["1"]));
    await assertRejects(() => read(...createRequest({ query: "SELECT 1" }, body)), EngineError, "Code: 48.");
  });
});

describe("sessionStatements()", () => {
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
    it(`returns ${JSON.stringify(expected)} when the request has ${JSON.stringify({ ...query, ...headers })}`, () => {
      assertEquals(sessionStatements(...createRequest(query, "", headers)), expected);
    });
  }

  const rejected: [query: Record<string, string>, code: string][] = [
    [{ "a; DROP TABLE t": "1" }, "Code: 115."],
    [{ compress: "1" }, "set compress=false in the client"],
    [{ decompress: "1" }, "set decompress=false in the client"],
    [{ role: "admin" }, "Code: 48."],
  ];
  for (const [query, code] of rejected) {
    it(`throws ${code} when the request has ${JSON.stringify(query)}`, () => {
      assertThrows(() => sessionStatements(...createRequest(query, "")), EngineError, code);
    });
  }
});

describe("readQueryParams()", () => {
  it("returns the parameters named param_…, with their values as sent", () => {
    const [, url] = createRequest({ param_a: "1", param_b: "x\\ty", param_: "", other: "2" });
    assertEquals([...readQueryParams(url)], [["a", "1"], ["b", "x\\ty"], ["", ""]]);
  });
});

describe("readCredentials()", () => {
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
    it(`returns ${user}/${password} when the request has ${JSON.stringify({ ...query, ...headers })}`, () => {
      assertEquals(readCredentials(...createRequest(query, "", headers)), { user, password });
    });
  }
});
