/** One connection to PostgreSQL: opened with time limits, tried again when it breaks, ended in every case. */
// @ts-types="@types/pg"
import pg from "pg";
import pRetry from "p-retry";
import { SalesflowError } from "../errors.ts";
import { DEFAULT_LIMITS, type DatabaseLimits } from "../limits.ts";
import { logger } from "../log.ts";
import { codeOf, ConnectionLost, isTransient, postgresError } from "./errors.ts";
import { parsePostgresUrl, type PostgresTarget } from "./url.ts";

/** The driver waits this much longer than the server, so that the server's clearer error comes first. */
const GRACE_MS = 5_000;
/** Time for taking leave of a server, or asking it to stop a statement. */
const FAREWELL_MS = 2_000;
/** Silence after which keep-alive probes start. */
const KEEP_ALIVE_MS = 10_000;

/** Every value arrives as PostgreSQL's text: money and 64-bit numbers never become floats. */
const TEXT_ONLY = { getTypeParser: () => (value: string) => value } as unknown as pg.CustomTypesConfig;

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

/** An open connection. */
export class Postgres {
  readonly client: pg.Client;
  readonly limits: DatabaseLimits;
  readonly signal: AbortSignal;
  /** `host:port/database` */
  readonly server: string;
  #statementMs: number;

  /** Use {@linkcode withPostgres}. */
  constructor(client: pg.Client, server: string, limits: DatabaseLimits, signal: AbortSignal) {
    this.client = client;
    this.server = server;
    this.limits = limits;
    this.signal = signal;
    this.#statementMs = limits.statementMs;
  }

  /** Runs one statement with bound values, or several without values; returns the rows of the last, as text. */
  async query<Row extends TextRow = TextRow>(text: string, values?: readonly unknown[]): Promise<Row[]> {
    this.signal.throwIfAborted();
    const query = { text, ...(values ? { values: [...values] } : {}), query_timeout: this.#statementMs + GRACE_MS };
    const result: pg.QueryResult<Row> | pg.QueryResult<Row>[] = await this.client.query(query);
    return Array.isArray(result) ? result.at(-1)?.rows ?? [] : result.rows;
  }

  /** The only row of a statement. @throws {SalesflowError} when there is none */
  async one<Row extends TextRow = TextRow>(text: string, values?: readonly unknown[]): Promise<Row> {
    const row = (await this.query<Row>(text, values))[0];
    if (!row) throw new SalesflowError(`PostgreSQL at ${this.server} returned no row where one was expected`);
    return row;
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
      if (!this.signal.aborted && !isTransient(error)) await this.client.query("ROLLBACK").catch(() => {});
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
  synchronize_seqscans: () => "off",
};

function clientOf(target: PostgresTarget, stage: string): pg.Client {
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

function socketOf(client: pg.Client): { destroy(): void } | undefined {
  return (client as unknown as { connection?: { stream?: { destroy(): void } } }).connection?.stream;
}

function within(ms: number, work: Promise<unknown>): Promise<unknown> {
  let timer: ReturnType<typeof setTimeout>;
  const late = new Promise((resolve) => timer = setTimeout(resolve, ms));
  return Promise.race([work.catch(() => {}), late]).finally(() => clearTimeout(timer));
}

/** Ends the connection politely when it lives, by force otherwise. */
async function leave(client: pg.Client): Promise<void> {
  await within(FAREWELL_MS, client.end());
  socketOf(client)?.destroy();
}

/** Stops what the session is doing: asks the server through a second connection, then cuts the first. */
async function cancel(target: PostgresTarget, client: pg.Client): Promise<void> {
  const pid = (client as unknown as { processID?: number }).processID;
  const helper = clientOf(target, "cancel");
  helper.on("error", () => {});
  await within(
    FAREWELL_MS,
    (async () => {
      await helper.connect();
      await helper.query("SELECT pg_cancel_backend($1)", [pid]);
    })(),
  );
  await leave(helper);
  socketOf(client)?.destroy();
}

async function attempt<T>(target: PostgresTarget, options: Required<PostgresOptions>, work: (db: Postgres) => Promise<T>): Promise<T> {
  const { stage, signal, limits } = options;
  const client = clientOf(target, stage);
  let lost: Error | undefined;
  client.on("error", (error: Error) => lost ??= error);
  const stop = () => void cancel(target, client);
  try {
    await client.connect();
    signal.throwIfAborted();
    signal.addEventListener("abort", stop, { once: true });
    const db = new Postgres(client, target.server, limits, signal);
    const names = Object.keys(SETTINGS);
    // Names that an older server does not know are left out.
    await db.query(
      "SELECT set_config(name, wanted, false) FROM pg_settings JOIN unnest($1::text[], $2::text[]) AS t (asked, wanted) ON name = asked",
      [names, names.map((name) => SETTINGS[name]!(limits))],
    );
    return await work(db);
  } catch (error) {
    // The socket's own error says more than "connection terminated".
    const reason = lost && isTransient(error) && codeOf(error) === undefined
      ? new ConnectionLost(lost.message, { cause: error })
      : error;
    throw reason;
  } finally {
    signal.removeEventListener("abort", stop);
    await leave(client);
  }
}

/**
 * Opens a connection, does `work`, and ends the connection. When the connection fails or breaks off, everything is
 * done again, so `work` must be repeatable.
 *
 * @throws {SalesflowError} for every failure of the database, with exit code 75 when trying later may help
 * @throws the signal's reason when it was aborted
 */
export async function withPostgres<T>(options: PostgresOptions, work: (db: Postgres) => Promise<T>): Promise<T> {
  const { url, stage, signal, limits = DEFAULT_LIMITS } = options;
  const target = parsePostgresUrl(url);
  const log = logger("postgres");
  try {
    return await pRetry(() => attempt(target, { url, stage, signal, limits }, work), {
      retries: limits.retries,
      minTimeout: limits.firstRetryMs,
      maxTimeout: limits.longestRetryMs,
      randomize: true,
      signal,
      shouldRetry: ({ error }) => isTransient(error),
      onFailedAttempt({ error, retriesLeft }) {
        if (signal.aborted || retriesLeft === 0 || !isTransient(error)) return;
        log.warn(`${target.server}: ${error.message || codeOf(error)}; trying again (${retriesLeft} tries left)`);
      },
    });
  } catch (error) {
    signal.throwIfAborted();
    throw postgresError(error, { server: target.server, stage });
  }
}
