import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { EngineError } from "../../../../lib/embedded/clickhouse/engine.ts";
import {
  contentType,
  errorResponse,
  formatSummary,
  httpStatus,
} from "../../../../lib/embedded/clickhouse/response.ts";

describe("httpStatus()", () => {
  const cases: [code: number, status: number][] = [
    [62, 400],
    [194, 401],
    [516, 403],
    [60, 404],
    [47, 404],
    [159, 408],
    [48, 501],
    [164, 500],
    [241, 500],
    [99999, 500],
  ];
  for (const [code, status] of cases) {
    it(`returns ${status} when the code is ${code}`, () => assertEquals(httpStatus(code), status));
  }
});

describe("contentType()", () => {
  const cases: [format: string, type: string][] = [
    ["JSON", "application/json; charset=UTF-8"],
    ["JSONCompact", "application/json; charset=UTF-8"],
    ["JSONEachRow", "application/x-ndjson; charset=UTF-8"],
    ["JSONCompactEachRowWithNames", "application/x-ndjson; charset=UTF-8"],
    ["TSVWithNames", "text/tab-separated-values; charset=UTF-8"],
    ["CSV", "text/csv; charset=UTF-8; header=absent"],
    ["CSVWithNamesAndTypes", "text/csv; charset=UTF-8; header=present"],
    ["RowBinary", "application/octet-stream"],
    ["Pretty", "text/plain; charset=UTF-8"],
  ];
  for (const [format, type] of cases) {
    it(`returns ${type} when the format is ${format}`, () => assertEquals(contentType(format), type));
  }
});

describe("formatSummary()", () => {
  const nothing = {
    body: new Uint8Array(),
    readRows: 0n,
    readBytes: 0n,
    writtenRows: 0n,
    writtenBytes: 0n,
    resultRows: 0n,
    resultBytes: 0n,
  };

  it("counts the rows that a query read and returned", () => {
    const { read_rows, result_rows, written_rows, elapsed_ns } = JSON.parse(
      formatSummary({ ...nothing, readRows: 8192n, resultRows: 3n }, 1.5),
    );
    assertEquals({ read_rows, result_rows, written_rows, elapsed_ns }, {
      read_rows: "8192",
      result_rows: "3",
      written_rows: "0",
      elapsed_ns: "1500000",
    });
  });

  it("counts the rows of an INSERT as read, written and result", () => {
    const { read_rows, result_rows, written_rows } = JSON.parse(
      formatSummary({ ...nothing, writtenRows: 5n }, 0),
    );
    assertEquals([read_rows, result_rows, written_rows], ["5", "5", "5"]);
  });
});

describe("errorResponse()", () => {
  const cases: [error: Error, status: number, code: string, text: string][] = [
    [
      EngineError.of(60, "UNKNOWN_TABLE", "no t"),
      404,
      "60",
      "Code: 60. DB::Exception: no t (UNKNOWN_TABLE) (version 1.2)\n",
    ],
    [
      new EngineError("Code: 6. DB::Exception: x (Y) (version 9.9)\n"),
      400,
      "6",
      "Code: 6. DB::Exception: x (Y) (version 9.9)\n",
    ],
    [new Error("odd"), 500, "1002", "Code: 1002. DB::Exception: odd (UNKNOWN_EXCEPTION) (version 1.2)\n"],
  ];
  for (const [error, status, code, text] of cases) {
    it(`returns ${status} when the error is ${JSON.stringify(error.message)}`, async () => {
      const response = errorResponse(error, new Headers(), "1.2");
      assertEquals([response.status, response.headers.get("X-ClickHouse-Exception-Code")], [status, code]);
      assertEquals(await response.text(), text);
    });
  }

  it("asks for credentials when there was no password", async () => {
    const response = errorResponse(EngineError.of(194, "REQUIRED_PASSWORD", "who?"), new Headers(), "1.2");
    assertEquals([response.status, response.headers.has("WWW-Authenticate")], [401, true]);
    await response.body?.cancel();
  });
});
