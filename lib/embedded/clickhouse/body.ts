/** Request and response bodies with HTTP content encodings. */
import { brotliDecompressSync, zstdDecompressSync } from "node:zlib";
import type { Bytes } from "./bytes.ts";
import { EngineError } from "./engine.ts";
import { decodeLz4Frames } from "./lz4.ts";

/** Decoders of encodings that DecompressionStream lacks; they need the whole body. */
const BUFFERED_DECODERS: Record<string, (compressed: Bytes) => Uint8Array> = {
  br: brotliDecompressSync,
  lz4: decodeLz4Frames,
  zstd: zstdDecompressSync,
};

/** An empty body. */
export async function* emptyBody(): AsyncIterable<Bytes> {}

async function* decodeBuffered(
  request: Request,
  decode: (compressed: Bytes) => Uint8Array,
): AsyncIterable<Bytes> {
  let decoded: Uint8Array;
  try {
    decoded = decode(new Uint8Array(await request.arrayBuffer()));
  } catch (cause) {
    throw EngineError.of(271, "CANNOT_DECOMPRESS", cause instanceof Error ? cause.message : String(cause));
  }
  yield decoded as Bytes;
}

/**
 * Returns a request's body, decompressed: gzip and deflate as a stream, other encodings at once.
 *
 * @throws {EngineError} when the encoding is unknown
 */
export function decodeBody(request: Request): AsyncIterable<Bytes> {
  if (!request.body) return emptyBody();
  const encoding = request.headers.get("content-encoding")?.trim().toLowerCase() ?? "";
  if (encoding === "" || encoding === "identity") return request.body;
  if (encoding === "gzip" || encoding === "deflate") {
    return request.body.pipeThrough(new DecompressionStream(encoding));
  }
  const decode = BUFFERED_DECODERS[encoding];
  if (decode) return decodeBuffered(request, decode);
  throw EngineError.of(36, "BAD_ARGUMENTS", `Unknown compression method: ${encoding}`);
}

/** Concatenates `first` and a body. */
export async function concatBody(first: Bytes, body: AsyncIterable<Bytes>): Promise<Bytes> {
  const chunks = [first];
  for await (const chunk of body) chunks.push(chunk);
  if (chunks.length === 1) return first;
  return new Uint8Array(await new Blob(chunks).arrayBuffer());
}

/** Yields `first`, then the rest of a body. */
export async function* prepend(first: Bytes, rest: AsyncIterable<Bytes>): AsyncIterable<Bytes> {
  if (first.length > 0) yield first;
  yield* rest;
}

/**
 * Reports whether to compress the response with gzip. As in ClickHouse, the client must set `enable_http_compression=1`
 * besides the Accept-Encoding header.
 */
export function acceptsGzip(request: Request, url: URL): boolean {
  const accepted = (request.headers.get("accept-encoding") ?? "").split(",").map((part) =>
    part.split(";")[0]?.trim()
  );
  return url.searchParams.get("enable_http_compression") === "1" && accepted.includes("gzip");
}
