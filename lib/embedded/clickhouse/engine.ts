/**
 * The ClickHouse engine as a library (libchdb.so, C interface): an {@linkcode Engine} is the library with a data
 * folder, a {@linkcode Connection} is a session with its settings, current database and temporary tables.
 */
import type { Bytes } from "./bytes.ts";
import { cStrings, keepAlive, type Library, readCString, SYMBOLS } from "./library.ts";

/** Query parameters by name. */
export type Params = ReadonlyMap<string, string>;

/** What a statement does according to the engine's parser (`chdb_query_class`). */
export const QueryClass = { readOnly: 0, mutating: 1, mutatingGlobal: 2, control: 3, unknown: 4 } as const;

/** The result of a statement and its statistics. */
export interface Result {
  /** The result in the requested format. */
  body: Bytes;
  /** Rows read from storage. */
  readRows: bigint;
  /** Uncompressed bytes read from storage. */
  readBytes: bigint;
  /** Rows written by an INSERT. */
  writtenRows: bigint;
  /** Uncompressed bytes written by an INSERT. */
  writtenBytes: bigint;
  /** Rows in the result. */
  resultRows: bigint;
  /** Uncompressed bytes in the result. */
  resultBytes: bigint;
}

/** An error with a message in the engine's format, such as `Code: 62. DB::Exception: Syntax error: … (SYNTAX_ERROR)`. */
export class EngineError extends Error {
  /** Name of the class, for stack traces. */
  override name = "EngineError";

  /** Creates an error with a message like `Code: 62. DB::Exception: text (NAME)`. */
  static of(code: number, name: string, text: string): EngineError {
    return new EngineError(`Code: ${code}. DB::Exception: ${text} (${name})`);
  }
}

/** Settings with which the library behaves like the server. */
const SERVER_SETTINGS = [
  "--implicit_select=0",
  "--allow_introspection_functions=0",
  "--storage_file_read_method=pread",
];

const encoder = new TextEncoder();

/** Copies a result out of the library's memory and frees it. */
function takeResult(library: Library, result: Deno.PointerValue): Result {
  if (result === null) throw EngineError.of(1001, "STD_EXCEPTION", "the engine returned no result");
  try {
    const error = readCString(library.chdb_result_error(result));
    if (error !== undefined) throw new EngineError(error);
    const length = Number(library.chdb_result_length(result));
    const buffer = library.chdb_result_buffer(result);
    const body = new Uint8Array(length);
    if (length > 0 && buffer !== null) new Deno.UnsafePointerView(buffer).copyInto(body);
    return {
      body,
      readRows: library.chdb_result_storage_rows_read(result),
      readBytes: library.chdb_result_storage_bytes_read(result),
      writtenRows: library.chdb_result_rows_written(result),
      writtenBytes: library.chdb_result_bytes_written(result),
      resultRows: library.chdb_result_rows_read(result),
      resultBytes: library.chdb_result_bytes_read(result),
    };
  } finally {
    library.chdb_destroy_query_result(result);
  }
}

/** The library with a data folder. A process can open only one. */
export class Engine {
  readonly #library: Library;
  readonly #arguments: readonly string[];
  #first: Connection | undefined;

  private constructor(library: Library, args: readonly string[]) {
    this.#library = library;
    this.#arguments = args;
  }

  /**
   * Loads the library and opens a data folder, creating it if it is missing.
   *
   * @param configFile an XML file of server settings
   * @throws {EngineError} when the folder cannot be opened, for example because another process has it open
   */
  static async open(libraryPath: string, folder: string, configFile: string): Promise<Engine> {
    const { symbols } = Deno.dlopen(libraryPath, SYMBOLS);
    symbols.chdb_set_signal_handlers_enabled(0); // this program handles its signals itself
    const engine = new Engine(symbols, [
      "clickhouse",
      `--path=${folder}`,
      `--config-file=${configFile}`,
      ...SERVER_SETTINGS,
    ]);
    engine.#first = await engine.connect(); // kept open: the engine stops with its last connection
    return engine;
  }

  /** Opens a session. */
  async connect(): Promise<Connection> {
    const args = cStrings(this.#arguments);
    const call = this.#library.chdb_connect(args.buffers.length, args.pointers);
    const handle = await keepAlive(call, args);
    if (handle === null) throw EngineError.of(1001, "STD_EXCEPTION", "the engine opened no session");
    return new Connection(this.#library, handle);
  }

  /** Cancels all running statements; they fail with QUERY_WAS_CANCELLED. */
  async cancelAll(): Promise<void> {
    await this.#first?.query("KILL QUERY WHERE query_id != queryID() ASYNC", "Null");
  }

  /**
   * Stops the engine and its threads. All connections must be closed; the library cannot be used afterwards.
   */
  async close(): Promise<void> {
    await this.#first?.close();
    await this.#library.chdb_shutdown();
  }
}

/** A session. It runs one statement at a time; different sessions run concurrently. */
export class Connection {
  readonly #library: Library;
  readonly #handle: Deno.PointerObject;
  readonly #session: Deno.PointerValue;

  /** Wraps a handle of `chdb_connect`; use {@linkcode Engine.connect}. */
  constructor(library: Library, handle: Deno.PointerObject) {
    this.#library = library;
    this.#handle = handle;
    this.#session = new Deno.UnsafePointerView(handle).getPointer();
  }

  /**
   * Executes a statement and returns its whole result.
   *
   * @param format of the result, unless the statement has its own FORMAT clause
   */
  async query(sql: Bytes | string, format: string, params: Params = new Map()): Promise<Result> {
    const text = typeof sql === "string" ? encoder.encode(sql) : sql;
    const output = encoder.encode(format);
    const names = cStrings([...params.keys()]);
    const values = cStrings([...params.values()]);
    const call = this.#library.chdb_query_with_params_n(
      this.#session,
      text,
      BigInt(text.length),
      output,
      BigInt(output.length),
      names.pointers,
      names.lengths,
      values.pointers,
      values.lengths,
      BigInt(params.size),
    );
    return takeResult(this.#library, await keepAlive(call, text, output, names, values));
  }

  /**
   * Parses the text without executing it; returns the number of statements (0 on a syntax error) and a
   * {@linkcode QueryClass}.
   */
  classify(sql: Bytes): { statements: number; queryClass: number } {
    // struct_size, statement_count, flags, query_class
    const report = new Uint32Array([16, 0, 0, QueryClass.unknown]);
    const fields = new Uint8Array(report.buffer);
    this.#library.chdb_classify_query_n(this.#session, sql, BigInt(sql.length), null, 0n, fields);
    return { statements: report[1] ?? 0, queryClass: report[3] ?? QueryClass.unknown };
  }

  /**
   * Executes an INSERT with a stream of rows.
   *
   * @param sql the statement without a FORMAT clause
   * @param rows chunks of bytes in `format`
   */
  async insert(
    sql: string,
    format: string,
    rows: AsyncIterable<Bytes>,
    params: Params = new Map(),
  ): Promise<Result> {
    const library = this.#library;
    const text = encoder.encode(sql);
    const input = encoder.encode(format);
    const names = cStrings([...params.keys()]);
    const values = cStrings([...params.values()]);
    const call = library.chdb_stream_insert_with_params_n(
      this.#session,
      text,
      BigInt(text.length),
      input,
      BigInt(input.length),
      names.pointers,
      names.lengths,
      values.pointers,
      values.lengths,
      BigInt(params.size),
    );
    const stream = await keepAlive(call, text, input, names, values);
    try {
      let error = readCString(library.chdb_stream_insert_error(stream));
      if (error === undefined) {
        for await (const chunk of rows) {
          if (chunk.length === 0) continue;
          const appended = library.chdb_stream_append(stream, chunk, BigInt(chunk.length));
          if (await keepAlive(appended, chunk) !== 0) break;
        }
        error = readCString(library.chdb_stream_insert_error(stream));
      }
      if (error !== undefined) throw new EngineError(error);
      return takeResult(library, await library.chdb_stream_done(stream));
    } finally {
      await library.chdb_destroy_insert_stream(stream);
    }
  }

  /** Closes the session. */
  async close(): Promise<void> {
    await this.#library.chdb_close_conn(this.#handle);
  }
}
