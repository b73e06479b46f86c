/** Parses HTTP requests to ClickHouse. */
import type { Bytes } from "./bytes.ts";
import { concatBody, decodeBody, emptyBody, prepend } from "./body.ts";
import { EngineError } from "./engine.ts";
import { findFormat, parseInsert } from "./sql_text.ts";

/** URL parameters that are not settings. */
const RESERVED = new Set([
  "query",
  "database",
  "default_format",
  "user",
  "password",
  "quota_key",
  "query_id",
  "stacktrace",
  "session_id",
  "session_timeout",
  "session_check",
  "close_session",
  "wait_end_of_query",
  "buffer_size",
  "client_protocol_version",
  "enable_http_compression",
  "http_zlib_compression_level",
  "send_progress_in_http_headers",
  "http_headers_progress_interval_ms",
]);

/** URL parameters that the endpoint does not support although ignoring them would change the result. */
const UNSUPPORTED: Record<string, string> = {
  compress: "ClickHouse's own compression of responses: set compress=false in the client, as in the JDBC URL",
  decompress:
    "ClickHouse's own compression of requests: set decompress=false in the client, as in the JDBC URL",
  role: "roles",
};

/** An INSERT with a stream of rows. */
export interface Insert {
  /** Distinguishes it from {@linkcode Query}. */
  kind: "insert";
  /** Without its FORMAT clause. */
  statement: string;
  /** Format of the rows. */
  format: string;
  /** Chunks of the rows, decompressed. */
  rows: AsyncIterable<Bytes>;
}

/** Any other statement. */
export interface Query {
  /** Distinguishes it from {@linkcode Insert}. */
  kind: "query";
  /** The whole text, including a FORMAT clause. */
  text: Bytes;
  /** Format of the result. */
  format: string;
}

/** User and password of a request. */
export interface Credentials {
  /** `default` if the request names no user. */
  user: string;
  /** Empty if the request has none. */
  password: string;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

function header(request: Request, name: string): string | undefined {
  return request.headers.get(name) ?? undefined;
}

/**
 * Reads the statement of a request. Its text is in the URL, in the body, or starts in the URL and continues in the
 * body.
 *
 * @throws {EngineError} for external tables, which the endpoint does not support
 */
export async function readStatement(request: Request, url: URL): Promise<Insert | Query> {
  if (header(request, "content-type")?.startsWith("multipart/form-data")) {
    throw EngineError.of(
      48,
      "NOT_IMPLEMENTED",
      "The embedded endpoint does not support external tables (multipart/form-data)",
    );
  }
  const format = header(request, "x-clickhouse-format") ?? url.searchParams.get("default_format") ??
    undefined;
  const body = decodeBody(request);
  let text: Bytes = encoder.encode(url.searchParams.get("query") ?? "");
  if (text.length > 0) {
    const insert = parseInsert(text, format ?? "Values");
    if (insert) {
      const rows = prepend(text.subarray(insert.rowsStart), body);
      return { kind: "insert", statement: insert.statement, format: insert.format, rows };
    }
    text = encoder.encode(decoder.decode(text) + "\n");
  }
  text = await concatBody(text, body);
  // An INSERT without FORMAT and without rows is left to the engine, which reports what is missing.
  const insert = parseInsert(text, "");
  if (insert && insert.format !== "") {
    const rows = prepend(text.subarray(insert.rowsStart), emptyBody());
    return { kind: "insert", statement: insert.statement, format: insert.format, rows };
  }
  return { kind: "query", text, format: findFormat(text) ?? format ?? "TabSeparated" };
}

/**
 * Returns the query parameters: `param_x` in the URL. Their values are escaped as in TabSeparated, as the engine
 * expects them.
 */
export function readQueryParams(url: URL): Map<string, string> {
  const params = new Map<string, string>();
  for (const [name, value] of url.searchParams) {
    if (name.startsWith("param_")) params.set(name.slice(6), value);
  }
  return params;
}

function quoteString(text: string): string {
  return "'" + text.replaceAll("\\", "\\\\").replaceAll("'", "\\'") + "'";
}

function quoteIdentifier(name: string): string {
  return "`" + name.replaceAll("\\", "\\\\").replaceAll("`", "\\`") + "`";
}

/**
 * Returns the statements that apply the request's database and settings to the session.
 *
 * @throws {EngineError} for a setting with an invalid name, or a parameter that the endpoint does not support
 */
export function sessionStatements(request: Request, url: URL): string[] {
  const statements: string[] = [];
  const database = header(request, "x-clickhouse-database") ?? url.searchParams.get("database");
  if (database) statements.push(`USE ${quoteIdentifier(database)}`);
  const settings: string[] = [];
  for (const [name, value] of url.searchParams) {
    if (RESERVED.has(name) || name.startsWith("param_")) continue;
    const unsupported = UNSUPPORTED[name];
    if (unsupported !== undefined) {
      if (value === "0" || value === "") continue;
      throw EngineError.of(
        48,
        "NOT_IMPLEMENTED",
        `The embedded endpoint does not support ${unsupported}`,
      );
    }
    if (!/^\w+$/.test(name)) {
      throw EngineError.of(115, "UNKNOWN_SETTING", `Setting ${name} is neither a builtin setting`);
    }
    settings.push(`${name} = ${quoteString(value)}`);
  }
  if (settings.length > 0) statements.push(`SET ${settings.join(", ")}`);
  return statements;
}

/** Reads user and password from ClickHouse's headers, or else Basic authentication, or else the URL. */
export function readCredentials(request: Request, url: URL): Credentials {
  const user = header(request, "x-clickhouse-user");
  const key = header(request, "x-clickhouse-key");
  if (user !== undefined || key !== undefined) return { user: user ?? "default", password: key ?? "" };
  const basic = /^Basic (.+)$/i.exec(header(request, "authorization") ?? "")?.[1];
  if (basic !== undefined) {
    const pair = decodeBase64(basic);
    const colon = pair.indexOf(":");
    return colon < 0
      ? { user: pair, password: "" }
      : { user: pair.slice(0, colon), password: pair.slice(colon + 1) };
  }
  return {
    user: url.searchParams.get("user") ?? "default",
    password: url.searchParams.get("password") ?? "",
  };
}

function decodeBase64(text: string): string {
  try {
    return decoder.decode(Uint8Array.fromBase64(text));
  } catch {
    return "";
  }
}
