/** Sessions with ClickHouse over its HTTP interface, through the official client. */
import { Readable } from "node:stream";
import { Buffer } from "node:buffer";
import {
  type ClickHouseClient,
  ClickHouseLogLevel,
  type ClickHouseSettings,
  createClient,
} from "@clickhouse/client";
import { type DatabaseLimits, DEFAULT_LIMITS } from "../connection/limits.ts";
import { withRetry } from "../connection/retry.ts";
import { clickhouseError, ClickHouseFailure } from "./errors.ts";
import { parseClickHouseUrl } from "../connection/clickhouse_url.ts";

/** Values bound to `{name:Type}`. */
export type QueryParams = Record<string, string | number>;

/** Options of {@linkcode withClickHouse}. */
export interface ClickHouseOptions {
  /** Connection URL, including the password. */
  url: string;
  /** Stage name for errors; the user agent has `salesflow <stage>`. */
  stage: string;
  /** Cancels the running request. */
  signal: AbortSignal;
  /** Timeouts and retries. @default {DEFAULT_LIMITS} */
  limits?: DatabaseLimits;
}

/** A session. Its methods throw {@linkcode ClickHouseFailure}. */
export class ClickHouse {
  readonly #client: ClickHouseClient;
  readonly #signal: AbortSignal;
  /** `host:port` */
  readonly server: string;

  /** Use {@linkcode withClickHouse}. */
  constructor(client: ClickHouseClient, server: string, signal: AbortSignal) {
    this.#client = client;
    this.#signal = signal;
    this.server = server;
  }

  async #run<T>(work: () => Promise<T>): Promise<T> {
    this.#signal.throwIfAborted();
    try {
      return await work();
    } catch (error) {
      this.#signal.throwIfAborted();
      throw new ClickHouseFailure(error);
    }
  }

  #query(query: string, query_params: QueryParams) {
    return this.#client.query({
      query,
      query_params,
      format: "JSONCompactStringsEachRow",
      clickhouse_settings: EXACT_TEXT,
      abort_signal: this.#signal,
    });
  }

  /** Runs a statement that returns no rows. */
  async command(query: string, query_params: QueryParams = {}): Promise<void> {
    await this.#run(() => this.#client.command({ query, query_params, abort_signal: this.#signal }));
  }

  /** Returns the rows of a query, with every value as ClickHouse's text. */
  rows(query: string, query_params: QueryParams = {}): Promise<string[][]> {
    return this.#run(async () => await (await this.#query(query, query_params)).json<string[]>());
  }

  /**
   * Runs any statement; returns the response as it is, in `format` unless the statement has a FORMAT clause, and the name
   * of its format: undefined when the statement returns nothing.
   */
  read(
    query: string,
    format: string,
  ): Promise<{ body: Uint8Array<ArrayBuffer>; format: string | undefined }> {
    return this.#run(async () => {
      const { stream, response_headers } = await this.#client.exec({
        query,
        clickhouse_settings: { ...EXACT_TEXT, default_format: format } as ClickHouseSettings,
        abort_signal: this.#signal,
      });
      const body = new Uint8Array(await new Response(stream as unknown as BodyInit).arrayBuffer());
      const used = response_headers["x-clickhouse-format"];
      return { body, format: Array.isArray(used) ? used[0] : used };
    });
  }

  /** Yields the rows of a query in batches as they arrive, with every value as ClickHouse's text. */
  async *stream(query: string, query_params: QueryParams = {}): AsyncGenerator<string[][]> {
    const result = await this.#run(() => this.#query(query, query_params));
    const batches = result.stream<string[]>()[Symbol.asyncIterator]();
    for (;;) {
      const batch = await this.#run(() => batches.next());
      if (batch.done) return;
      yield (batch.value as { json(): string[] }[]).map((row) => row.json());
    }
  }

  /**
   * Inserts rows with values as text. Not idempotent: after a retry, rows may be duplicated.
   *
   * @throws errors of `rows`, and {@linkcode ClickHouseFailure}
   */
  async insert(
    table: string,
    columns: readonly string[],
    rows: AsyncIterable<readonly (string | null)[]>,
  ): Promise<void> {
    let sourceError: { error: unknown } | undefined;
    async function* values() {
      try {
        yield* rows;
      } catch (error) {
        sourceError = { error };
        throw error;
      }
    }
    try {
      await this.#run(() =>
        this.#client.insert({
          table,
          columns: columns as [string, ...string[]],
          values: Readable.from(values()),
          format: "JSONCompactEachRow",
          abort_signal: this.#signal,
        })
      );
    } catch (error) {
      // When the source fails, the request fails as a consequence.
      throw sourceError ? sourceError.error : error;
    }
  }
}

/** Keeps trailing zeros: `1.50`, not `1.5`. */
const EXACT_TEXT: ClickHouseSettings = { output_format_decimal_trailing_zeros: 1 };

/**
 * Runs `work` in a session. After a transient failure everything is repeated, so `work` must be idempotent. Other errors
 * of `work` pass through.
 *
 * @throws {SalesflowError} for every failure of ClickHouse, with exit code 75 when a later retry may help
 * @throws the signal's reason when it is aborted
 */
export async function withClickHouse<T>(
  options: ClickHouseOptions,
  work: (db: ClickHouse) => Promise<T>,
): Promise<T> {
  const { stage, signal, limits = DEFAULT_LIMITS } = options;
  const { url, username, password, ca, server } = parseClickHouseUrl(options.url);
  const client = createClient({
    url,
    username,
    password,
    application: `salesflow ${stage}`,
    // Limits idle time on the socket in both directions; a stream that makes progress may take longer.
    request_timeout: limits.statementTimeoutMs,
    // When a reused connection is reset during a request, Deno's HTTP client waits for the timeout; on a new one it
    // reports the reset at once. A stage makes about a dozen requests, so reuse would save little.
    keep_alive: { enabled: false },
    log: { level: ClickHouseLogLevel.OFF },
    ...(ca ? { tls: { ca_cert: Buffer.from(ca) } } : {}),
  });
  const db = new ClickHouse(client, server, signal);
  try {
    return await withRetry(() => work(db), {
      limits,
      signal,
      isTransient: (error) => error instanceof ClickHouseFailure && error.transient,
      log: "clickhouse",
      server,
    });
  } catch (error) {
    signal.throwIfAborted();
    throw clickhouseError(error, { server, stage });
  } finally {
    await client.close();
  }
}
