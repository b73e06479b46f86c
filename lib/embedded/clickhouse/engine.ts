/**
 * ClickHouse's engine as a library (libchdb.so, C interface): an {@linkcode Engine} is the library with its
 * data folder open, a {@linkcode Connection} is one session with its settings, current database and temporary
 * tables.
 */

import { cStrings, during, type Library, message, SYMBOLS } from "./library.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** Query parameters by name. */
export type Params = ReadonlyMap<string, string>;

/** What a statement does, as the engine's parser sees it (`chdb_query_class`). */
export const QueryClass = { readOnly: 0, mutating: 1, mutatingGlobal: 2, control: 3, unknown: 4 } as const;

/** What a statement returned and how much it touched. */
export interface Result {
  body: Bytes;
  readRows: bigint;
  readBytes: bigint;
  writtenRows: bigint;
  writtenBytes: bigint;
  resultRows: bigint;
  resultBytes: bigint;
}

/** The engine's own message, such as `Code: 62. DB::Exception: Syntax error: … (SYNTAX_ERROR)`. */
export class EngineError extends Error {
  override name = "EngineError";

  /** An error in the engine's words: `Code: 62. DB::Exception: text (NAME)`. */
  static of(code: number, name: string, text: string): EngineError {
    return new EngineError(`Code: ${code}. DB::Exception: ${text} (${name})`);
  }
}

/** Session settings that make the library behave as the server does. */
const SERVER_LIKE = [
  "--implicit_select=0",
  "--allow_introspection_functions=0",
  "--storage_file_read_method=pread",
];

const encoder = new TextEncoder();

function take(library: Library, result: Deno.PointerValue): Result {
  if (result === null) throw EngineError.of(1001, "STD_EXCEPTION", "the engine returned nothing");
  try {
    const error = message(library.chdb_result_error(result));
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

/** The library with its data folder open. One process can have one. */
export class Engine {
  readonly #library: Library;
  readonly #arguments: readonly string[];
  #first: Connection | undefined;

  private constructor(library: Library, args: readonly string[]) {
    this.#library = library;
    this.#arguments = args;
  }

  /**
   * Loads the library and opens a data folder, which is made when it is missing.
   *
   * @param configFile an XML file of server settings
   * @throws {EngineError} when the folder cannot be opened, such as when another process has it
   */
  static async open(libraryPath: string, folder: string, configFile: string): Promise<Engine> {
    const { symbols } = Deno.dlopen(libraryPath, SYMBOLS);
    symbols.chdb_set_signal_handlers_enabled(0); // signals belong to the program
    const engine = new Engine(symbols, [
      "clickhouse",
      `--path=${folder}`,
      `--config-file=${configFile}`,
      ...SERVER_LIKE,
    ]);
    engine.#first = await engine.connect(); // kept: the engine stops with its last connection
    return engine;
  }

  /** Opens a session. */
  async connect(): Promise<Connection> {
    const args = cStrings(this.#arguments);
    const call = this.#library.chdb_connect(args.kept.length, args.pointers);
    const handle = await during(call, args);
    if (handle === null) {
      throw EngineError.of(1001, "STD_EXCEPTION", "the engine opens no session");
    }
    return new Connection(this.#library, handle);
  }

  /** Tells all statements that run to end; they fail with QUERY_WAS_CANCELLED. */
  async cancelAll(): Promise<void> {
    await this.#first?.query("KILL QUERY WHERE query_id != queryID() ASYNC", "Null");
  }

  /**
   * Stops the engine and all of its threads. Close every connection first; the library cannot be used again.
   */
  async close(): Promise<void> {
    await this.#first?.close();
    await this.#library.chdb_shutdown();
  }
}

/** One session. A session runs one statement at a time; different sessions run side by side. */
export class Connection {
  readonly #library: Library;
  readonly #handle: Deno.PointerObject;
  readonly #session: Deno.PointerValue;

  constructor(library: Library, handle: Deno.PointerObject) {
    this.#library = library;
    this.#handle = handle;
    this.#session = new Deno.UnsafePointerView(handle).getPointer();
  }

  /** Runs one statement whole; the result is in `format` unless the statement names another one. */
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
    return take(this.#library, await during(call, text, output, names, values));
  }

  /**
   * What the text would do if it ran: how many statements (0 when it does not parse), and a
   * {@linkcode QueryClass}.
   */
  classify(sql: Bytes): { statements: number; queryClass: number } {
    // struct_size, statement_count, flags, query_class
    const report = new Uint32Array([16, 0, 0, QueryClass.unknown]);
    const fields = new Uint8Array(report.buffer);
    this.#library.chdb_classify_query_n(this.#session, sql, BigInt(sql.length), null, 0n, fields);
    return { statements: report[1] ?? 0, queryClass: report[3] ?? QueryClass.unknown };
  }

  /** Runs an INSERT whose rows arrive as chunks of bytes in `format`; `sql` has no FORMAT clause. */
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
    const stream = await during(call, text, input, names, values);
    try {
      let error = message(library.chdb_stream_insert_error(stream));
      if (error === undefined) {
        for await (const chunk of rows) {
          if (chunk.length === 0) continue;
          const appended = library.chdb_stream_append(stream, chunk, BigInt(chunk.length));
          if (await during(appended, chunk) !== 0) break;
        }
        error = message(library.chdb_stream_insert_error(stream));
      }
      if (error !== undefined) throw new EngineError(error);
      return take(library, await library.chdb_stream_done(stream));
    } finally {
      await library.chdb_destroy_insert_stream(stream);
    }
  }

  /** Ends the session. */
  async close(): Promise<void> {
    await this.#library.chdb_close_conn(this.#handle);
  }
}
