/** Connections to PostgreSQL: with timeouts, retried after transient failures, always closed. */
// @ts-types="./pg.d.ts"
import pg, { type Client } from "pg";
import { SalesflowError } from "../console/errors.ts";
import { type DatabaseLimits, DEFAULT_LIMITS } from "../connection/limits.ts";
import { withRetry } from "../connection/retry.ts";
import { postgresError, PostgresFailure } from "./errors.ts";
import applySettings from "./apply_settings.sql" with { type: "text" };
import { parsePostgresUrl, type PostgresTarget } from "../connection/postgres_url.ts";

/** Time limit for closing a connection, or asking the server to cancel a statement. */
const CLOSE_TIMEOUT_MS = 2_000;
/** Idle time before TCP keep-alive probes start. */
const KEEP_ALIVE_DELAY_MS = 10_000;

/** Returns every value as PostgreSQL's text, so that money and 64-bit integers never become floats. */
const TEXT_ONLY = { getTypeParser: () => (value: string) => value };

/** A row by column name, with every value as text. */
export type TextRow = Record<string, string | null>;

/** Options of {@linkcode withPostgres}. */
export interface PostgresOptions {
  /** Connection URL, including the password. */
  url: string;
  /** Stage name for errors; `application_name` is `salesflow <stage>`. */
  stage: string;
  /** Cancels the running statement and closes the connection. */
  signal: AbortSignal;
  /** Timeouts and retries. @default {DEFAULT_LIMITS} */
  limits?: DatabaseLimits;
}

/** An open connection. Its methods throw {@linkcode PostgresFailure}. */
export class Postgres {
  /** The driver's connection, for COPY. */
  readonly client: Client;
  /** Timeouts of this connection. */
  readonly limits: DatabaseLimits;
  /** Ends the connection when aborted. */
  readonly signal: AbortSignal;
  /** `host:port/database` */
  readonly server: string;
  #statementTimeoutMs: number;

  /** Use {@linkcode withPostgres}. */
  constructor(client: Client, server: string, limits: DatabaseLimits, signal: AbortSignal) {
    this.client = client;
    this.server = server;
    this.limits = limits;
    this.signal = signal;
    this.#statementTimeoutMs = limits.statementTimeoutMs;
  }

  /** Runs one statement with bound values, or several without; returns the rows of the last one. */
  async query<Row extends TextRow = TextRow>(text: string, values?: readonly unknown[]): Promise<Row[]> {
    this.signal.throwIfAborted();
    const query = {
      text,
      ...(values ? { values: [...values] } : {}),
      query_timeout: this.clientTimeoutMs,
    };
    const result = await this.client.query(query).catch(
      (error) => {
        throw new PostgresFailure(error);
      },
    );
    const rows = Array.isArray(result) ? result.at(-1)?.rows ?? [] : result.rows;
    return rows as Row[];
  }

  /** Runs any statements; returns the last result as a table, because column names may repeat. */
  async queryTable(text: string): Promise<{ columns: string[]; rows: (string | null)[][] }> {
    const result = await this.client.query({ text, rowMode: "array" }).catch((error: unknown) => {
      throw new PostgresFailure(error);
    });
    const last = Array.isArray(result) ? result.at(-1)! : result;
    return { columns: last.fields.map(({ name }) => name), rows: last.rows };
  }

  /** Returns the first row of a statement. @throws {SalesflowError} when there is none */
  async one<Row extends TextRow = TextRow>(text: string, values?: readonly unknown[]): Promise<Row> {
    const row = (await this.query<Row>(text, values))[0];
    if (!row) throw new SalesflowError(`PostgreSQL at ${this.server} returned no row where one was expected`);
    return row;
  }

  /** The server's timeout for each statement of this session, in milliseconds. */
  get statementTimeoutMs(): number {
    return this.#statementTimeoutMs;
  }

  /** The driver's timeout: longer than the server's, whose error is clearer and should come first. */
  get clientTimeoutMs(): number {
    return this.#statementTimeoutMs + this.limits.stallTimeoutMs;
  }

  /** Closes the socket; running statements fail with a network error. */
  destroy(): void {
    this.client.connection.stream.destroy();
  }

  /** Sets the timeout for the following statements of this session. */
  async setStatementTimeout(timeoutMs: number): Promise<void> {
    await this.query("SELECT set_config('statement_timeout', $1, false)", [String(timeoutMs)]);
    this.#statementTimeoutMs = timeoutMs;
  }

  /**
   * Runs `work` in a transaction: commits when it resolves, rolls back when it throws.
   *
   * @param begin such as `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY`
   */
  async transaction<T>(work: () => Promise<T>, begin = "BEGIN"): Promise<T> {
    await this.query(begin);
    try {
      const result = await work();
      await this.query("COMMIT");
      return result;
    } catch (error) {
      // A lost connection cannot send ROLLBACK; the server rolls back by itself.
      const lost = error instanceof PostgresFailure && error.transient;
      if (!this.signal.aborted && !lost) await this.client.query("ROLLBACK").catch(() => {});
      throw error;
    }
  }
}

/** Settings of each session. With the keep-alive settings, a killed command's locks are released within about a minute. */
const SESSION_SETTINGS: Record<string, (limits: DatabaseLimits) => string> = {
  statement_timeout: ({ statementTimeoutMs }) => String(statementTimeoutMs),
  lock_timeout: ({ statementTimeoutMs }) => String(Math.min(statementTimeoutMs, 30_000)),
  idle_in_transaction_session_timeout: ({ stallTimeoutMs }) => String(stallTimeoutMs * 5),
  tcp_keepalives_idle: () => "20",
  tcp_keepalives_interval: () => "10",
  tcp_keepalives_count: () => "3",
  // Detects within two seconds that the client is gone, even during a long statement.
  client_connection_check_interval: () => "2s",
  datestyle: () => "ISO, YMD",
  timezone: () => "UTC",
  bytea_output: () => "hex",
  search_path: () => "pg_catalog",
};

function createClient(target: PostgresTarget, stage: string): Client {
  const { host, port, user, password, database, ssl, connectTimeoutMs } = target;
  return new pg.Client({
    host,
    port,
    user,
    // A function, so that the driver does not look for a missing password in ~/.pgpass and PGPASSWORD.
    password: () => password ?? "",
    database,
    ssl,
    application_name: `salesflow ${stage}`,
    connectionTimeoutMillis: connectTimeoutMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_DELAY_MS,
    types: TEXT_ONLY,
  });
}

/** Waits for `work` up to the time limit; ignores its error. */
function waitAtMost(ms: number, work: Promise<unknown>): Promise<unknown> {
  let timer: ReturnType<typeof setTimeout>;
  const timeout = new Promise((resolve) => timer = setTimeout(resolve, ms));
  return Promise.race([work.catch(() => {}), timeout]).finally(() => clearTimeout(timer));
}

/** Ends the connection properly when the server answers in time, then closes the socket. */
async function close(client: Client): Promise<void> {
  await waitAtMost(CLOSE_TIMEOUT_MS, client.end());
  client.connection.stream.destroy();
}

/** Cancels the running statement through a second connection, then closes the socket of the first. */
async function cancel(target: PostgresTarget, client: Client): Promise<void> {
  if (client.processID === null) {
    // Not connected yet, so there is nothing to cancel.
    client.connection.stream.destroy();
    return;
  }
  const helper = createClient(target, "cancel");
  helper.on("error", () => {});
  await waitAtMost(
    CLOSE_TIMEOUT_MS,
    (async () => {
      await helper.connect();
      await helper.query({ text: "SELECT pg_cancel_backend($1)", values: [client.processID] });
    })(),
  );
  await close(helper);
  client.connection.stream.destroy();
}

/** Opens a connection, runs `work` once, and closes the connection. */
async function runOnce<T>(
  target: PostgresTarget,
  options: Required<PostgresOptions>,
  work: (db: Postgres) => Promise<T>,
): Promise<T> {
  const { stage, signal, limits } = options;
  const client = createClient(target, stage);
  // Without a listener, losing an idle connection would end the process. The next statement reports the loss.
  client.on("error", () => {});
  let cancelling: Promise<void> | undefined;
  const stop = () => cancelling = cancel(target, client);
  signal.addEventListener("abort", stop, { once: true });
  try {
    signal.throwIfAborted();
    await client.connect().catch((error: unknown) => {
      throw new PostgresFailure(error);
    });
    const db = new Postgres(client, target.server, limits, signal);
    const names = Object.keys(SESSION_SETTINGS);
    await db.query(applySettings, [names, names.map((name) => SESSION_SETTINGS[name]!(limits))]);
    return await work(db);
  } finally {
    signal.removeEventListener("abort", stop);
    await cancelling;
    await close(client);
  }
}

/**
 * Runs `work` on a new connection. After a transient failure everything is repeated on another connection, so `work` must
 * be idempotent. Other errors of `work` pass through.
 *
 * @throws {SalesflowError} for every database failure, with exit code 75 when a later retry may help
 * @throws the signal's reason when it is aborted
 */
export async function withPostgres<T>(
  options: PostgresOptions,
  work: (db: Postgres) => Promise<T>,
): Promise<T> {
  const { url, stage, signal, limits = DEFAULT_LIMITS } = options;
  const target = parsePostgresUrl(url);
  try {
    return await withRetry(() => runOnce(target, { url, stage, signal, limits }, work), {
      limits,
      signal,
      isTransient: (error) => error instanceof PostgresFailure && error.transient,
      log: "postgres",
      server: target.server,
    });
  } catch (error) {
    signal.throwIfAborted();
    throw postgresError(error, { server: target.server, stage });
  }
}
