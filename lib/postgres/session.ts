/** One connection to PostgreSQL: opened with time limits, tried again when it breaks, ended in every case. */
// @ts-types="./pg.d.ts"
import pg, { type Client } from "pg";
import { SalesflowError } from "../console/errors.ts";
import { type DatabaseLimits, DEFAULT_LIMITS } from "../connection/limits.ts";
import { withRetry } from "../connection/retry.ts";
import { postgresError, PostgresFailure } from "./errors.ts";
import applySettings from "./apply_settings.sql" with { type: "text" };
import { parsePostgresUrl, type PostgresTarget } from "../connection/postgres_url.ts";

/** Time for taking leave of a server, or asking it to stop a statement. */
const CLOSE_TIMEOUT_MS = 2_000;
/** Silence after which keep-alive probes start. */
const KEEP_ALIVE_MS = 10_000;

/** Every value arrives as PostgreSQL's text: money and 64-bit numbers never become floats. */
const TEXT_ONLY = { getTypeParser: () => (value: string) => value };

/** A row, every value as text. */
export type TextRow = Record<string, string | null>;

/** What {@linkcode withPostgres} needs to know. */
export interface PostgresOptions {
  /** With password. */
  url: string;
  /** Shown to the database as `salesflow <stage>`, and in errors. */
  stage: string;
  signal: AbortSignal;
  /** @default {DEFAULT_LIMITS} */
  limits?: DatabaseLimits;
}

/** An open connection; every error of it is a {@linkcode PostgresFailure}. */
export class Postgres {
  readonly client: Client;
  readonly limits: DatabaseLimits;
  readonly signal: AbortSignal;
  /** `host:port/database` */
  readonly server: string;
  #statementMs: number;

  /** Use {@linkcode withPostgres}. */
  constructor(client: Client, server: string, limits: DatabaseLimits, signal: AbortSignal) {
    this.client = client;
    this.server = server;
    this.limits = limits;
    this.signal = signal;
    this.#statementMs = limits.statementMs;
  }

  /** Runs one statement with bound values, or several without values; returns the rows of the last, as text. */
  async query<Row extends TextRow = TextRow>(text: string, values?: readonly unknown[]): Promise<Row[]> {
    this.signal.throwIfAborted();
    const query = {
      text,
      ...(values ? { values: [...values] } : {}),
      query_timeout: this.patienceMs,
    };
    const result = await this.client.query(query).catch(
      (error) => {
        throw new PostgresFailure(error);
      },
    );
    const rows = Array.isArray(result) ? result.at(-1)?.rows ?? [] : result.rows;
    return rows as Row[];
  }

  /** The answer to the last of any statements: columns, which may have equal names, and rows as text. */
  async answer(text: string): Promise<{ columns: string[]; rows: (string | null)[][] }> {
    const result = await this.client.query({ text, rowMode: "array" }).catch((error: unknown) => {
      throw new PostgresFailure(error);
    });
    const last = Array.isArray(result) ? result.at(-1)! : result;
    return { columns: last.fields.map(({ name }) => name), rows: last.rows };
  }

  /** The only row of a statement. @throws {SalesflowError} when there is none */
  async one<Row extends TextRow = TextRow>(text: string, values?: readonly unknown[]): Promise<Row> {
    const row = (await this.query<Row>(text, values))[0];
    if (!row) throw new SalesflowError(`PostgreSQL at ${this.server} returned no row where one was expected`);
    return row;
  }

  /** Longest time for each statement of this session, in milliseconds. */
  get statementMs(): number {
    return this.#statementMs;
  }

  /** How long to wait for the server's answer: a little longer than it works, so that its clearer error comes first. */
  get patienceMs(): number {
    return this.#statementMs + this.limits.stallMs;
  }

  /** Cuts the connection; what is under way fails as if the network had failed. */
  cut(): void {
    this.client.connection.stream.destroy();
  }

  /** Sets the longest time for each following statement of this session, in milliseconds. */
  async allow(statementMs: number): Promise<void> {
    await this.query("SELECT set_config('statement_timeout', $1, false)", [String(statementMs)]);
    this.#statementMs = statementMs;
  }

  /** Runs `work` in a transaction: committed when it resolves, rolled back when it throws. @param begin such as `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY` */
  async transaction<T>(work: () => Promise<T>, begin = "BEGIN"): Promise<T> {
    await this.query(begin);
    try {
      const result = await work();
      await this.query("COMMIT");
      return result;
    } catch (error) {
      // A dead connection cannot roll back; the server does it by itself.
      const lost = error instanceof PostgresFailure && error.transient;
      if (!this.signal.aborted && !lost) await this.client.query("ROLLBACK").catch(() => {});
      throw error;
    }
  }
}

/** Session settings: a connection whose command died frees its locks within a minute or so. */
const SETTINGS: Record<string, (limits: DatabaseLimits) => string> = {
  statement_timeout: ({ statementMs }) => String(statementMs),
  lock_timeout: ({ statementMs }) => String(Math.min(statementMs, 30_000)),
  idle_in_transaction_session_timeout: ({ stallMs }) => String(stallMs * 5),
  tcp_keepalives_idle: () => "20",
  tcp_keepalives_interval: () => "10",
  tcp_keepalives_count: () => "3",
  // Notices within two seconds that the command is gone, even in the middle of a long statement.
  client_connection_check_interval: () => "2s",
  datestyle: () => "ISO, YMD",
  timezone: () => "UTC",
  bytea_output: () => "hex",
  search_path: () => "pg_catalog",
};

function clientOf(target: PostgresTarget, stage: string): Client {
  const { host, port, user, password, database, ssl, connectTimeoutMs } = target;
  return new pg.Client({
    host,
    port,
    user,
    // A function, because the driver reads a missing password from files and the environment.
    password: () => password ?? "",
    database,
    ssl,
    application_name: `salesflow ${stage}`,
    connectionTimeoutMillis: connectTimeoutMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
    types: TEXT_ONLY,
  });
}

function within(ms: number, work: Promise<unknown>): Promise<unknown> {
  let timer: ReturnType<typeof setTimeout>;
  const late = new Promise((resolve) => timer = setTimeout(resolve, ms));
  return Promise.race([work.catch(() => {}), late]).finally(() => clearTimeout(timer));
}

/** Ends the connection politely when it lives, by force otherwise. */
async function leave(client: Client): Promise<void> {
  await within(CLOSE_TIMEOUT_MS, client.end());
  client.connection.stream.destroy();
}

/** Stops what the session is doing: asks the server through a second connection, then cuts the first. */
async function cancel(target: PostgresTarget, client: Client): Promise<void> {
  if (client.processID === null) {
    // Not connected yet: there is nothing to ask for.
    client.connection.stream.destroy();
    return;
  }
  const helper = clientOf(target, "cancel");
  helper.on("error", () => {});
  await within(
    CLOSE_TIMEOUT_MS,
    (async () => {
      await helper.connect();
      await helper.query({ text: "SELECT pg_cancel_backend($1)", values: [client.processID] });
    })(),
  );
  await leave(helper);
  client.connection.stream.destroy();
}

async function attempt<T>(
  target: PostgresTarget,
  options: Required<PostgresOptions>,
  work: (db: Postgres) => Promise<T>,
): Promise<T> {
  const { stage, signal, limits } = options;
  const client = clientOf(target, stage);
  // Without a listener the loss of an idle connection would end the process; the next statement reports it.
  client.on("error", () => {});
  let stopping: Promise<void> | undefined;
  const stop = () => stopping = cancel(target, client);
  signal.addEventListener("abort", stop, { once: true });
  try {
    signal.throwIfAborted();
    await client.connect().catch((error: unknown) => {
      throw new PostgresFailure(error);
    });
    const db = new Postgres(client, target.server, limits, signal);
    const names = Object.keys(SETTINGS);
    await db.query(applySettings, [names, names.map((name) => SETTINGS[name]!(limits))]);
    return await work(db);
  } finally {
    signal.removeEventListener("abort", stop);
    await stopping;
    await leave(client);
  }
}

/**
 * Opens a connection, does `work`, and ends the connection. When the connection fails or breaks off, everything is
 * done again, so `work` must be repeatable; errors of anything else pass through.
 *
 * @throws {SalesflowError} for every failure of the database, with exit code 75 when trying later may help
 * @throws the signal's reason when it was aborted
 */
export async function withPostgres<T>(
  options: PostgresOptions,
  work: (db: Postgres) => Promise<T>,
): Promise<T> {
  const { url, stage, signal, limits = DEFAULT_LIMITS } = options;
  const target = parsePostgresUrl(url);
  try {
    return await withRetry(() => attempt(target, { url, stage, signal, limits }, work), {
      limits,
      signal,
      passes: (error) => error instanceof PostgresFailure && error.transient,
      log: "postgres",
      server: target.server,
    });
  } catch (error) {
    signal.throwIfAborted();
    throw postgresError(error, { server: target.server, stage });
  }
}
