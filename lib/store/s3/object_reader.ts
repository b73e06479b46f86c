/** Reads objects over unreliable connections: after a lost or stalled one, requests the rest from the current offset. */
import { setTimeout as delay } from "node:timers/promises";
import type { Readable } from "node:stream";
import { SalesflowError } from "../../console/errors.ts";
import { type DatabaseLimits, DEFAULT_LIMITS } from "../../connection/limits.ts";
import { escapePlaceholders, formatAttemptsLeft, logger } from "../../console/log.ts";
import { httpStatusOf, type S3Sdk } from "./client.ts";

/** An object in a bucket, named as in the SDK's commands. */
export interface ObjectLocation {
  /** Name of the bucket. */
  Bucket: string;
  /** Name of the object. */
  Key: string;
}

/** A range of bytes. */
export interface ByteRange {
  /** Offset of the first byte. */
  start: number;
  /** Offset after the last byte. */
  end: number;
}

type Chunk = Uint8Array<ArrayBuffer>;

/** Reads the next chunk of a body; destroys the body when it stalls. */
async function readChunk(body: Readable, chunks: AsyncIterator<Chunk>, stallTimeoutMs: number) {
  const onStall = () => body.destroy(new Error(`no progress for ${stallTimeoutMs / 1000} s`));
  const timer = setTimeout(onStall, stallTimeoutMs);
  try {
    return await chunks.next();
  } finally {
    clearTimeout(timer);
  }
}

/** Waits with exponential backoff and jitter. */
function backOff(failures: number, { minRetryDelayMs, maxRetryDelayMs }: DatabaseLimits): Promise<void> {
  return delay(Math.min(maxRetryDelayMs, minRetryDelayMs * 2 ** (failures - 1)) * (0.5 + Math.random()));
}

/**
 * Yields the bytes of an object or a range of it. The client retries failed requests; this function also retries when the body
 * of a response is interrupted.
 *
 * @throws {SalesflowError} when the object is replaced during the read
 * @throws the client's error when the object does not exist, or no attempts are left
 */
export async function* streamObject(
  { client, GetObjectCommand }: S3Sdk,
  location: ObjectLocation,
  range?: ByteRange,
  limits: DatabaseLimits = DEFAULT_LIMITS,
): AsyncGenerator<Chunk, void, void> {
  let offset = range?.start ?? 0;
  let etag: string | undefined;
  let end = range?.end;
  for (let failures = 0;;) {
    const isWhole = offset === 0 && end === undefined;
    const response = await client.send(
      new GetObjectCommand({
        ...location,
        ...(isWhole ? {} : { Range: `bytes=${offset}-${end === undefined ? "" : end - 1}` }),
        ...(etag === undefined ? {} : { IfMatch: etag }),
      }),
    ).catch((error: unknown) => {
      if (etag === undefined || httpStatusOf(error) !== 412) throw error;
      throw new SalesflowError(`${location.Key} was replaced while it was being read`, {
        exitCode: 75,
        remedy: "Run only one command on a run at a time, then run this one again.",
        cause: error,
      });
    });
    etag ??= response.ETag;
    end = offset + response.ContentLength!;
    const body = response.Body as Readable;
    const chunks: AsyncIterator<Chunk> = body[Symbol.asyncIterator]();
    try {
      for (;;) {
        const { done, value } = await readChunk(body, chunks, limits.stallTimeoutMs);
        if (done) break;
        offset += value.length;
        yield value;
      }
      if (offset < end) throw new Error("the connection was closed early");
      return;
    } catch (error) {
      if (offset >= end) return;
      if (++failures > limits.retries) throw error;
      const why = error instanceof Error ? error.message : String(error);
      const left = formatAttemptsLeft(limits.retries - failures);
      const message = `${location.Key}: interrupted at byte ${offset}: ${why}; retrying (${left})`;
      logger("store").warn(escapePlaceholders(message));
      await backOff(failures, limits);
    } finally {
      body.destroy();
    }
  }
}

/** Reads an object or a range of it into memory. */
export async function readObject(s3: S3Sdk, location: ObjectLocation, range?: ByteRange): Promise<Chunk> {
  const chunks: Chunk[] = [];
  for await (const chunk of streamObject(s3, location, range)) chunks.push(chunk);
  const bytes = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  return bytes;
}
