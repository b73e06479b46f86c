/** What an HTTP request asks of the engine. */
import { none, plainBody, prepend, wholeBody } from "./body.ts";
import { EngineError } from "./engine.ts";
import { namedFormat, readInsert } from "./sql_text.ts";

type Bytes = Uint8Array<ArrayBuffer>;

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

/** URL parameters that the endpoint does not have, where leaving them out would change the answer. */
const MISSING: Record<string, string> = {
  compress: "the native compression format",
  decompress: "the native compression format",
  role: "roles",
};

/** An INSERT with a stream of rows. */
export interface Insert {
  kind: "insert";
  /** Without its FORMAT clause. */
  statement: string;
  format: string;
  rows: AsyncIterable<Bytes>;
}

/** Any other statement. */
export interface Query {
  kind: "query";
  text: Bytes;
  /** The format of its result. */
  format: string;
}

/** Who asks. */
export interface Credentials {
  user: string;
  password: string;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

function header(request: Request, name: string): string | undefined {
  return request.headers.get(name) ?? undefined;
}

/**
 * The statement of a request. Its text stands in the URL, in the body, or begins in the URL and goes on in
 * the body.
 */
export async function readStatement(request: Request, url: URL): Promise<Insert | Query> {
  if (header(request, "content-type")?.startsWith("multipart/form-data")) {
    throw EngineError.of(
      48,
      "NOT_IMPLEMENTED",
      "The embedded endpoint has no external tables (multipart/form-data)",
    );
  }
  const format = header(request, "x-clickhouse-format") ?? url.searchParams.get("default_format") ??
    undefined;
  const body = plainBody(request);
  let text: Bytes = encoder.encode(url.searchParams.get("query") ?? "");
  if (text.length > 0) {
    const insert = readInsert(text, format ?? "Values");
    if (insert) {
      const rows = prepend(text.subarray(insert.rowsFrom), body);
      return { kind: "insert", statement: insert.statement, format: insert.format, rows };
    }
    text = encoder.encode(decoder.decode(text) + "\n");
  }
  text = await wholeBody(text, body);
  // An INSERT without FORMAT whose text ends with the request has no rows: the engine says what it misses.
  const insert = readInsert(text, "");
  if (insert && insert.format !== "") {
    const rows = prepend(text.subarray(insert.rowsFrom), none());
    return { kind: "insert", statement: insert.statement, format: insert.format, rows };
  }
  return { kind: "query", text, format: namedFormat(text) ?? format ?? "TabSeparated" };
}

/**
 * `param_x` of the URL: query parameters, escaped as in TabSeparated, which is what the engine expects too.
 */
export function queryParams(url: URL): Map<string, string> {
  const params = new Map<string, string>();
  for (const [name, value] of url.searchParams) {
    if (name.startsWith("param_")) params.set(name.slice(6), value);
  }
  return params;
}

function quoteText(text: string): string {
  return "'" + text.replaceAll("\\", "\\\\").replaceAll("'", "\\'") + "'";
}

function quoteName(name: string): string {
  return "`" + name.replaceAll("\\", "\\\\").replaceAll("`", "\\`") + "`";
}

/**
 * Statements that prepare the session for the request: its database and its settings.
 *
 * @throws {EngineError} for a setting with an impossible name, or something the endpoint does not have
 */
export function preparations(request: Request, url: URL): string[] {
  const statements: string[] = [];
  const database = header(request, "x-clickhouse-database") ?? url.searchParams.get("database");
  if (database) statements.push(`USE ${quoteName(database)}`);
  const settings: string[] = [];
  for (const [name, value] of url.searchParams) {
    if (RESERVED.has(name) || name.startsWith("param_")) continue;
    const missing = MISSING[name];
    if (missing !== undefined) {
      if (value === "0" || value === "") continue;
      throw EngineError.of(48, "NOT_IMPLEMENTED", `The embedded endpoint does not have ${missing} (${name})`);
    }
    if (!/^\w+$/.test(name)) {
      throw EngineError.of(115, "UNKNOWN_SETTING", `Setting ${name} is neither a builtin setting`);
    }
    settings.push(`${name} = ${quoteText(value)}`);
  }
  if (settings.length > 0) statements.push(`SET ${settings.join(", ")}`);
  return statements;
}

/** User and password: from ClickHouse's headers, or else Basic authentication, or else the URL. */
export function credentials(request: Request, url: URL): Credentials {
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
