/** Responses of ClickHouse's HTTP interface: statuses, content types, summaries, errors. */
import { EngineError, type Result } from "./engine.ts";

/**
 * Error codes by HTTP status; all others are 500. The mapping is the server's, which lists the errors by name in
 * src/Server/HTTP/exceptionCodeToHTTPStatus.cpp; the numbers are those of `errorCodeToName`.
 */
const STATUSES: Record<number, readonly number[]> = {
  400: [
    ...[6, 8, 15, 25, 26, 27, 36, 37, 38, 41, 44, 53, 62, 72, 117, 123, 167, 168, 223, 321],
    ...[376, 427, 441, 675, 676],
  ],
  401: [194],
  403: [192, 193, 497, 512, 516],
  404: [46, 47, 50, 56, 60, 63, 73, 78, 81, 115, 152, 336, 511],
  408: [159],
  411: [381],
  413: [229],
  415: [779],
  501: [48],
  503: [76, 209, 439],
};

/** Returns the HTTP status for a ClickHouse error code. */
export function httpStatus(code: number): number {
  for (const [status, codes] of Object.entries(STATUSES)) if (codes.includes(code)) return Number(status);
  return 500;
}

/** Returns the Content-Type of an output format. */
export function contentType(format: string): string {
  if (/^(JSON.*EachRow|JSONLines|NDJSON)/.test(format)) return "application/x-ndjson; charset=UTF-8";
  if (format.startsWith("JSON")) return "application/json; charset=UTF-8";
  if (/^(TabSeparated|TSV)/.test(format)) return "text/tab-separated-values; charset=UTF-8";
  if (format.startsWith("CSV")) {
    return `text/csv; charset=UTF-8; header=${format.includes("WithNames") ? "present" : "absent"}`;
  }
  if (/^(Native|RowBinary|Parquet|Arrow|ORC|Avro|MsgPack|Protobuf|CapnProto|BSON|Npy)/.test(format)) {
    return "application/octet-stream";
  }
  return format === "XML" ? "application/xml; charset=UTF-8" : "text/plain; charset=UTF-8";
}

/** Formats the X-ClickHouse-Summary of a finished statement. Rows of an INSERT count as read and as result, too. */
export function formatSummary(result: Result, elapsedMs: number): string {
  const firstNonZero = (first: bigint, second: bigint) => String(first > 0n ? first : second);
  return JSON.stringify({
    read_rows: firstNonZero(result.readRows, result.writtenRows),
    read_bytes: firstNonZero(result.readBytes, result.writtenBytes),
    written_rows: String(result.writtenRows),
    written_bytes: String(result.writtenBytes),
    total_rows_to_read: String(result.readRows),
    result_rows: firstNonZero(result.writtenRows, result.resultRows),
    result_bytes: firstNonZero(result.writtenBytes, result.resultBytes),
    elapsed_ns: String(Math.round(elapsedMs * 1e6)),
  });
}

/**
 * Returns an error as ClickHouse sends it.
 *
 * @param headers headers of the response; those of the error are added
 */
export function errorResponse(error: unknown, headers: Headers, version: string): Response {
  const known = error instanceof EngineError ? error : EngineError.of(
    1002,
    "UNKNOWN_EXCEPTION",
    error instanceof Error ? error.message : String(error),
  );
  const text = known.message.trim();
  const code = Number(/^Code: (\d+)/.exec(text)?.[1] ?? 1002);
  headers.set("X-ClickHouse-Exception-Code", String(code));
  headers.set("Content-Type", "text/plain; charset=UTF-8");
  if (code === 194) headers.set("WWW-Authenticate", 'Basic realm="ClickHouse server HTTP API"');
  // Some of the engine's messages already end with its version.
  const line = / \(version [^()]*\)$/.test(text) ? text : `${text} (version ${version})`;
  return new Response(`${line}\n`, { status: httpStatus(code), headers });
}
