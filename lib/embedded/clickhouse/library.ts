/** The C interface of libchdb.so as declared in chdb.h of chdb-core 26.7. */
import type { Bytes } from "./bytes.ts";

/** The functions used here. */
export const SYMBOLS = {
  chdb_set_signal_handlers_enabled: { parameters: ["i32"], result: "void" },
  chdb_connect: { parameters: ["i32", "buffer"], result: "pointer", nonblocking: true },
  chdb_close_conn: { parameters: ["pointer"], result: "void", nonblocking: true },
  chdb_shutdown: { parameters: [], result: "i32", nonblocking: true },
  chdb_query_with_params_n: {
    parameters: [
      "pointer",
      "buffer",
      "usize",
      "buffer",
      "usize",
      "buffer",
      "buffer",
      "buffer",
      "buffer",
      "usize",
    ],
    result: "pointer",
    nonblocking: true,
  },
  chdb_classify_query_n: {
    parameters: ["pointer", "buffer", "usize", "pointer", "usize", "buffer"],
    result: "i32",
  },
  chdb_stream_insert_with_params_n: {
    parameters: [
      "pointer",
      "buffer",
      "usize",
      "buffer",
      "usize",
      "buffer",
      "buffer",
      "buffer",
      "buffer",
      "usize",
    ],
    result: "pointer",
    nonblocking: true,
  },
  chdb_stream_append: { parameters: ["pointer", "buffer", "usize"], result: "i32", nonblocking: true },
  chdb_stream_done: { parameters: ["pointer"], result: "pointer", nonblocking: true },
  chdb_stream_insert_error: { parameters: ["pointer"], result: "pointer" },
  chdb_destroy_insert_stream: { parameters: ["pointer"], result: "void", nonblocking: true },
  chdb_result_error: { parameters: ["pointer"], result: "pointer" },
  chdb_result_buffer: { parameters: ["pointer"], result: "pointer" },
  chdb_result_length: { parameters: ["pointer"], result: "usize" },
  chdb_result_rows_read: { parameters: ["pointer"], result: "u64" },
  chdb_result_bytes_read: { parameters: ["pointer"], result: "u64" },
  chdb_result_storage_rows_read: { parameters: ["pointer"], result: "u64" },
  chdb_result_storage_bytes_read: { parameters: ["pointer"], result: "u64" },
  chdb_result_rows_written: { parameters: ["pointer"], result: "u64" },
  chdb_result_bytes_written: { parameters: ["pointer"], result: "u64" },
  chdb_destroy_query_result: { parameters: ["pointer"], result: "void" },
} as const;

/** The loaded library. */
export type Library = Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];

const encoder = new TextEncoder();

/** Strings in memory as C expects them; to be kept with {@linkcode keepAlive} during a call. */
export interface CStrings {
  /** One NUL-terminated buffer per string. */
  buffers: Bytes[];
  /** `char *[]` */
  pointers: Bytes;
  /** `size_t[]`, without the NULs */
  lengths: Bytes;
}

/** Encodes strings as C arrays of pointers and lengths. */
export function cStrings(strings: readonly string[]): CStrings {
  const buffers = strings.map((text) => encoder.encode(text + "\0"));
  const pointers = buffers.map((bytes) => BigInt(Deno.UnsafePointer.value(Deno.UnsafePointer.of(bytes))));
  return {
    buffers,
    pointers: new Uint8Array(new BigUint64Array(pointers).buffer),
    lengths: new Uint8Array(new BigUint64Array(buffers.map((bytes) => BigInt(bytes.length - 1))).buffer),
  };
}

/** Reads a C string; undefined for a null pointer. */
export function readCString(pointer: Deno.PointerValue): string | undefined {
  return pointer === null ? undefined : Deno.UnsafePointerView.getCString(pointer);
}

const referenced = new Set<object>();

/** Keeps memory that a call points to from being garbage-collected until the call returns. */
export async function keepAlive<T>(call: Promise<T>, ...memory: readonly object[]): Promise<T> {
  for (const object of memory) referenced.add(object);
  try {
    return await call;
  } finally {
    for (const object of memory) referenced.delete(object);
  }
}
