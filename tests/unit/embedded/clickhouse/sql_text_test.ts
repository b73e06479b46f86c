import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { findFormat, parseInsert } from "../../../../lib/embedded/clickhouse/sql_text.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

function split(sql: string): [statement: string, format: string, rows: string] | undefined {
  const bytes = encoder.encode(sql);
  const insert = parseInsert(bytes, "Fallback");
  return insert &&
    [insert.statement.trimEnd(), insert.format, decoder.decode(bytes.subarray(insert.rowsStart))];
}

const INSERTS: [sql: string, statement: string, format: string, rows: string][] = [
  ["INSERT INTO t FORMAT TSV\n1\t2\n", "INSERT INTO t", "TSV", "1\t2\n"],
  ['insert into t (a, b) format JSONEachRow {"a":1}', "insert into t (a, b)", "JSONEachRow", '{"a":1}'],
  ["INSERT INTO t FORMAT CSV \r\n 1,2", "INSERT INTO t", "CSV", " 1,2"],
  ["INSERT INTO t FORMAT CSV\n\n1", "INSERT INTO t", "CSV", "\n1"],
  ["INSERT INTO t FORMAT Native", "INSERT INTO t", "Native", ""],
  ["INSERT INTO t (a)", "INSERT INTO t (a)", "Fallback", ""],
  [
    "-- FORMAT X\nINSERT /* FORMAT Y */ INTO t FORMAT TSV\n1",
    "-- FORMAT X\nINSERT /* FORMAT Y */ INTO t",
    "TSV",
    "1",
  ],
  ["INSERT INTO `FORMAT z` FORMAT TSV\n1", "INSERT INTO `FORMAT z`", "TSV", "1"],
  ['INSERT INTO "таблица" FORMAT TSV\nстрока', 'INSERT INTO "таблица"', "TSV", "строка"],
  ["INSERT INTO t (format) FORMAT TSV\n1", "INSERT INTO t (format)", "TSV", "1"],
  [
    "INSERT INTO t SETTINGS async_insert=0 FORMAT TSV\n1",
    "INSERT INTO t SETTINGS async_insert=0",
    "TSV",
    "1",
  ],
  ["INSERT INTO t FORMAT CSV\n1; SELECT 2", "INSERT INTO t", "CSV", "1; SELECT 2"],
];

const OTHERS = [
  "SELECT 1",
  "SELECT 'INSERT INTO t FORMAT TSV'",
  "INSERT INTO t VALUES (1, 'FORMAT TSV')",
  "INSERT INTO t SELECT a FROM s FORMAT TSV",
  "INSERT INTO t WITH x AS (SELECT 1) SELECT * FROM x",
  "WITH 1 AS a SELECT a",
  "",
];

describe("parseInsert()", () => {
  for (const [sql, ...expected] of INSERTS) {
    it(`separates statement, format and rows of ${JSON.stringify(sql)}`, () =>
      assertEquals(split(sql), expected));
  }
  for (const sql of OTHERS) {
    it(`returns undefined when the text is ${JSON.stringify(sql)}`, () =>
      assertEquals(split(sql), undefined));
  }
});

describe("findFormat()", () => {
  const cases: [sql: string, format: string | undefined][] = [
    ["SELECT 1 FORMAT JSON", "JSON"],
    ["select 1 format CSVWithNames;", "CSVWithNames"],
    ["SELECT 1 FORMAT JSON SETTINGS max_threads = 1", "JSON"],
    ["SELECT 1 SETTINGS max_threads = 1 FORMAT TSV -- the end", "TSV"],
    ["SELECT 1", undefined],
    ["SELECT 'x FORMAT JSON'", undefined],
    ["SELECT 1 /* FORMAT JSON */", undefined],
    ["SELECT (SELECT 1 AS format) AS x", undefined],
    ["SELECT 'it''s \\' FORMAT A' FORMAT B", "B"],
    ["SELECT 1 # FORMAT JSON", undefined],
  ];
  for (const [sql, format] of cases) {
    it(`returns ${format} when the query is ${JSON.stringify(sql)}`, () => {
      assertEquals(findFormat(encoder.encode(sql)), format);
    });
  }
});
