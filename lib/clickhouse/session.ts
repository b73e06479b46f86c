/** A conversation with ClickHouse over its HTTP interface, through the official client. */
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

/** What {@linkcode withClickHouse} needs to know. */
export interface ClickHouseOptions {
  /** With password. */
  url: string;
  /** Shown to the database as `salesflow <stage>`, and in errors. */
  stage: string;
  signal: AbortSignal;
  /** @default {DEFAULT_LIMITS} */
  limits?: DatabaseLimits;
}

/** An open conversation; every error of it is a {@linkcode ClickHouseFailure}. */
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

  async #do<T>(work: () => Promise<T>): Promise<T> {
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

  /** Runs a statement that returns nothing. */
  async command(query: string, query_params: QueryParams = {}): Promise<void> {
    await this.#do(() => this.#client.command({ query, query_params, abort_signal: this.#signal }));
  }

  /** Rows of a query, every value as ClickHouse's text. */
  rows(query: string, query_params: QueryParams = {}): Promise<string[][]> {
    return this.#do(async () => await (await this.#query(query, query_params)).json<string[]>());
  }

  /** The answer to any statement as text, in `format` unless the statement names another. */
  text(query: string, format: string): Promise<string> {
    return this.#do(async () => {
      const { stream } = await this.#client.exec({
        query,
        clickhouse_settings: { ...EXACT_TEXT, default_format: format } as ClickHouseSettings,
        abort_signal: this.#signal,
      });
      return await new Response(stream as unknown as BodyInit).text();
    });
  }

  /** The rows of a query in batches as they come in, every value as ClickHouse's text. */
  async *stream(query: string, query_params: QueryParams = {}): AsyncGenerator<string[][]> {
    const result = await this.#do(() => this.#query(query, query_params));
    const batches = result.stream<string[]>()[Symbol.asyncIterator]();
    for (;;) {
      const batch = await this.#do(() => batches.next());
      if (batch.done) return;
      yield (batch.value as { json(): string[] }[]).map((row) => row.json());
    }
  }

  /**
   * Sends rows to a table, values as text. Not repeatable: after a retry rows may be there twice.
   *
   * @throws what `rows` throws, and {@linkcode ClickHouseFailure}
   */
  async insert(
    table: string,
    columns: readonly string[],
    rows: AsyncIterable<readonly (string | null)[]>,
  ): Promise<void> {
    let ofSource: { error: unknown } | undefined;
    async function* watched() {
      try {
        yield* rows;
      } catch (error) {
        ofSource = { error };
        throw error;
      }
    }
    try {
      await this.#do(() =>
        this.#client.insert({
          table,
          columns: columns as [string, ...string[]],
          values: Readable.from(watched()),
          format: "JSONCompactEachRow",
          abort_signal: this.#signal,
        })
      );
    } catch (error) {
      // The side that broke first is the one to report.
      throw ofSource ? ofSource.error : error;
    }
  }
}

/** `1.50` stays `1.50`. */
const EXACT_TEXT: ClickHouseSettings = { output_format_decimal_trailing_zeros: 1 };

/** A quoted identifier, each name for itself. */
export function quoteClickHouseName(...names: readonly string[]): string {
  return names.map((name) => "`" + name.replaceAll("\\", "\\\\").replaceAll("`", "\\`") + "`").join(".");
}

/**
 * Opens a conversation and does `work`. When ClickHouse fails for now, everything is done again, so `work` must be
 * repeatable; errors of anything else pass through.
 *
 * @throws {SalesflowError} for every failure of ClickHouse, with exit code 75 when trying later may help
 * @throws the signal's reason when it was aborted
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
    // Silence on the connection, in both directions; streams that move may take longer.
    request_timeout: limits.statementMs,
    // When a kept connection is reset in the middle of a request, Deno's HTTP client waits until the timeout; on a new
    // one it reports the reset at once. A stage makes a dozen requests.
    keep_alive: { enabled: false },
    log: { level: ClickHouseLogLevel.OFF },
    ...(ca ? { tls: { ca_cert: Buffer.from(ca) } } : {}),
  });
  const db = new ClickHouse(client, server, signal);
  try {
    return await withRetry(() => work(db), {
      limits,
      signal,
      passes: (error) => error instanceof ClickHouseFailure && error.transient,
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
