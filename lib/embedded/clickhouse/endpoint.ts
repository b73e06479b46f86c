/** ClickHouse's HTTP interface on 127.0.0.1, backed by the engine in this process. */
import { timingSafeEqual } from "node:crypto";
import { acceptsGzip } from "./body.ts";
import type { Bytes } from "./bytes.ts";
import { type Connection, type Engine, EngineError, QueryClass, type Result } from "./engine.ts";
import {
  type Insert,
  type Query,
  readCredentials,
  readQueryParams,
  readStatement,
  sessionStatements,
} from "./request.ts";
import { contentType, errorResponse, formatSummary } from "./response.ts";
import { Sessions } from "./sessions.ts";

/** The only user. It is the engine's own, so `currentUser()` returns the same name. */
export const USER = "default";
/** How long requests may take to finish when the endpoint is closed. */
const CLOSE_TIMEOUT_MS = 10_000;

/** What the endpoint serves. */
export interface EndpointOptions {
  /** Executes the statements. */
  engine: Engine;
  /** TCP port on 127.0.0.1. */
  port: number;
  /** Password of {@linkcode USER}. */
  password: string;
}

/** A running endpoint. */
export interface Endpoint {
  /** Stops accepting requests and waits for those in progress. */
  close(): Promise<void>;
}

const METHODS = ["GET", "HEAD", "POST", "OPTIONS"];

const encoder = new TextEncoder();

function equalsInConstantTime(left: string, right: string): boolean {
  const [a, b] = [encoder.encode(left), encoder.encode(right)];
  return a.length === b.length && timingSafeEqual(a, b);
}

function authenticate(request: Request, url: URL, expected: string): void {
  const { user, password } = readCredentials(request, url);
  if (user === USER && equalsInConstantTime(password, expected)) return;
  const text = `${user}: Authentication failed: password is incorrect, or there is no user with such name.`;
  // A request without credentials is asked for them: browsers then show a login dialog.
  throw user === USER && password === ""
    ? EngineError.of(194, "REQUIRED_PASSWORD", text)
    : EngineError.of(516, "AUTHENTICATION_FAILED", text);
}

/**
 * Rejects what ClickHouse rejects over HTTP: several statements in one request, and changes by GET.
 *
 * @returns whether the statement only reads
 */
function checkStatement(connection: Connection, text: Bytes, readOnly: boolean): boolean {
  const { statements, queryClass } = connection.classify(text);
  if (statements > 1) {
    throw EngineError.of(62, "SYNTAX_ERROR", "Syntax error (Multi-statements are not allowed)");
  }
  if (readOnly && queryClass !== QueryClass.readOnly && queryClass !== QueryClass.unknown) {
    throw EngineError.of(
      164,
      "READONLY",
      "Cannot execute query in readonly mode. For queries over HTTP, method GET implies readonly. " +
        "You should use method POST for modifying queries.",
    );
  }
  return queryClass === QueryClass.readOnly;
}

async function execute(
  connection: Connection,
  request: Request,
  url: URL,
  statement: Insert | Query,
): Promise<{ result: Result; isRead: boolean }> {
  for (const preparation of sessionStatements(request, url)) await connection.query(preparation, "Null");
  const readOnly = request.method !== "POST";
  const params = readQueryParams(url);
  if (statement.kind === "insert") {
    if (readOnly) {
      const text = encoder.encode(`${statement.statement} FORMAT ${statement.format}`);
      checkStatement(connection, text, readOnly);
    }
    const result = await connection.insert(statement.statement, statement.format, statement.rows, params);
    return { result, isRead: false };
  }
  const isRead = checkStatement(connection, statement.text, readOnly);
  return { result: await connection.query(statement.text, statement.format, params), isRead };
}

async function respond(
  sessions: Sessions,
  request: Request,
  url: URL,
  headers: Headers,
): Promise<Response> {
  const startedAt = performance.now();
  const statement = await readStatement(request, url);
  const { result, isRead } = await sessions.run(
    url,
    (connection) => execute(connection, request, url, statement),
  );
  headers.set("X-ClickHouse-Summary", formatSummary(result, performance.now() - startedAt));
  headers.set("Content-Type", contentType(statement.kind === "query" ? statement.format : "TabSeparated"));
  if (statement.kind === "query" && (isRead || result.body.length > 0)) {
    headers.set("X-ClickHouse-Format", statement.format);
  }
  if (!acceptsGzip(request, url)) return new Response(result.body, { headers });
  headers.set("Content-Encoding", "gzip");
  const compressed = new Blob([result.body]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Response(compressed, { headers });
}

/** Queries version and time zone of the engine. */
async function queryServerInfo(engine: Engine): Promise<[version: string, timezone: string]> {
  const connection = await engine.connect();
  const { body } = await connection.query("SELECT version(), timezone()", "TabSeparated");
  await connection.close();
  const [version = "", timezone = ""] = new TextDecoder().decode(body).trim().split("\t");
  return [version, timezone];
}

/**
 * Opens the endpoint on 127.0.0.1.
 *
 * @throws {Deno.errors.AddrInUse} when the port is taken
 */
export async function openEndpoint({ engine, port, password }: EndpointOptions): Promise<Endpoint> {
  const sessions = new Sessions(engine);
  const [version, timezone] = await queryServerInfo(engine);

  async function handle(request: Request): Promise<Response> {
    const url = new URL(request.url);
    const html = { "Content-Type": "text/html; charset=UTF-8" };
    if (url.pathname === "/ping" || url.pathname === "/replicas_status") {
      return new Response("Ok.\n", { headers: html });
    }
    if (url.pathname !== "/") {
      return new Response(`There is no handle ${url.pathname}\n`, { status: 404, headers: html });
    }
    if (!METHODS.includes(request.method)) {
      return new Response(`There is no method ${request.method}\n`, {
        status: 405,
        headers: { ...html, Allow: METHODS.join(", ") },
      });
    }
    const hasStatement = request.method === "POST" || url.searchParams.has("query");
    if (!hasStatement) return new Response("Ok.\n", { headers: html });
    const headers = new Headers({
      "X-ClickHouse-Server-Display-Name": "salesflow",
      "X-ClickHouse-Query-Id": url.searchParams.get("query_id") || crypto.randomUUID(),
      "X-ClickHouse-Timezone": timezone,
    });
    try {
      authenticate(request, url, password);
      return await respond(sessions, request, url, headers);
    } catch (error) {
      await request.body?.cancel().catch(() => {}); // the rest of it is not needed
      return errorResponse(error, headers, version);
    }
  }

  const server = Deno.serve({ hostname: "127.0.0.1", port, onListen: () => {} }, handle);
  return {
    async close() {
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, CLOSE_TIMEOUT_MS);
      await Promise.race([server.shutdown(), promise]);
      clearTimeout(timer);
      await sessions.close();
    },
  };
}
