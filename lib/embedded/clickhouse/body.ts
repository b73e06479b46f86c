/** Bodies of requests and responses, compressed as HTTP says. */
import { brotliDecompressSync, zstdDecompressSync } from "node:zlib";
import { EngineError } from "./engine.ts";
import { decodeLz4Frames } from "./lz4.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** Encodings that are unpacked whole, because the platform has no stream for them. */
const WHOLE: Record<string, (packed: Bytes) => Uint8Array> = {
  br: brotliDecompressSync,
  lz4: decodeLz4Frames,
  zstd: zstdDecompressSync,
};

/** No bytes. */
export async function* none(): AsyncIterable<Bytes> {}

async function* unpackWhole(request: Request, unpack: (packed: Bytes) => Uint8Array): AsyncIterable<Bytes> {
  let plain: Uint8Array;
  try {
    plain = unpack(new Uint8Array(await request.arrayBuffer()));
  } catch (cause) {
    throw EngineError.of(271, "CANNOT_DECOMPRESS", cause instanceof Error ? cause.message : String(cause));
  }
  yield plain as Bytes;
}

/** The body of a request, unpacked; gzip and deflate on the way, others at once. */
export function plainBody(request: Request): AsyncIterable<Bytes> {
  if (!request.body) return none();
  const encoding = request.headers.get("content-encoding")?.trim().toLowerCase() ?? "";
  if (encoding === "" || encoding === "identity") return request.body;
  if (encoding === "gzip" || encoding === "deflate") {
    return request.body.pipeThrough(new DecompressionStream(encoding));
  }
  const unpack = WHOLE[encoding];
  if (unpack) return unpackWhole(request, unpack);
  throw EngineError.of(36, "BAD_ARGUMENTS", `Unknown compression method: ${encoding}`);
}

/** All of a body in one piece, after `first`. */
export async function wholeBody(first: Bytes, body: AsyncIterable<Bytes>): Promise<Bytes> {
  const chunks = [first];
  for await (const chunk of body) chunks.push(chunk);
  if (chunks.length === 1) return first;
  return new Uint8Array(await new Blob(chunks).arrayBuffer());
}

/** `first`, then the rest of a body. */
export async function* prepend(first: Bytes, rest: AsyncIterable<Bytes>): AsyncIterable<Bytes> {
  if (first.length > 0) yield first;
  yield* rest;
}

/** Whether the client asked for a gzipped answer; ClickHouse wants to be asked twice. */
export function wantsGzip(request: Request, url: URL): boolean {
  const accepted = (request.headers.get("accept-encoding") ?? "").split(",").map((part) =>
    part.split(";")[0]?.trim()
  );
  return url.searchParams.get("enable_http_compression") === "1" && accepted.includes("gzip");
}
