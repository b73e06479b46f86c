/** Reads an object whose connection may break or fall silent on the way: the rest is asked for again, from the byte that was reached. */
import { setTimeout as delay } from "node:timers/promises";
import type { Readable } from "node:stream";
import { SalesflowError } from "../../console/errors.ts";
import { type DatabaseLimits, DEFAULT_LIMITS } from "../../connection/limits.ts";
import { logger, triesLeft } from "../../console/log.ts";
import type { S3Sdk } from "./client.ts";

/** An object in a bucket. */
export interface Place {
  Bucket: string;
  Key: string;
}

/** Bytes of an object: `start` included, `end` excluded; the whole object without them. */
export interface ByteRange {
  start: number;
  end: number;
}

type Chunk = Uint8Array<ArrayBuffer>;

/** The next piece of a body; a body that stands still is cut. */
async function next(body: Readable, chunks: AsyncIterator<Chunk>, stallMs: number) {
  const late = () => body.destroy(new Error(`nothing moved for ${stallMs / 1000} s`));
  const timer = setTimeout(late, stallMs);
  try {
    return await chunks.next();
  } finally {
    clearTimeout(timer);
  }
}

function wait(failures: number, { firstRetryMs, longestRetryMs }: DatabaseLimits): Promise<void> {
  return delay(Math.min(longestRetryMs, firstRetryMs * 2 ** (failures - 1)) * (0.5 + Math.random()));
}

/**
 * The bytes of an object, in order. Requests that fail are repeated by the client; here it is the body that breaks.
 *
 * @throws {SalesflowError} when the object was replaced while it was read
 * @throws the client's error when there is no such object, or its limit of tries is reached
 */
export async function* objectBytes(
  { client, GetObjectCommand }: S3Sdk,
  place: Place,
  range?: ByteRange,
  limits: DatabaseLimits = DEFAULT_LIMITS,
): AsyncGenerator<Chunk, void, void> {
  let at = range?.start ?? 0;
  let etag: string | undefined;
  let end = range?.end;
  for (let failures = 0;;) {
    const whole = at === 0 && end === undefined;
    const answer = await client.send(
      new GetObjectCommand({
        ...place,
        ...(whole ? {} : { Range: `bytes=${at}-${end === undefined ? "" : end - 1}` }),
        ...(etag === undefined ? {} : { IfMatch: etag }),
      }),
    ).catch((error: { $metadata?: { httpStatusCode?: number } }) => {
      if (etag === undefined || error.$metadata?.httpStatusCode !== 412) throw error;
      throw new SalesflowError(`${place.Key} was replaced while it was read`, {
        exitCode: 75,
        remedy: "Let one command at a time work on a run, then run again.",
        cause: error,
      });
    });
    etag ??= answer.ETag;
    end = at + answer.ContentLength!;
    const body = answer.Body as Readable;
    const chunks: AsyncIterator<Chunk> = body[Symbol.asyncIterator]();
    try {
      for (;;) {
        const { done, value } = await next(body, chunks, limits.stallMs);
        if (done) break;
        at += value.length;
        yield value;
      }
      if (at < end) throw new Error("the connection ended early");
      return;
    } catch (error) {
      if (at >= end) return;
      if (++failures > limits.retries) throw error;
      const why = error instanceof Error ? error.message : String(error);
      const left = limits.retries - failures;
      logger("store").warn(`${place.Key} broke off at byte ${at}: ${why}; trying again (${triesLeft(left)})`);
      await wait(failures, limits);
    } finally {
      body.destroy();
    }
  }
}

/** The bytes of an object or of a range of it, in one piece. */
export async function readObject(s3: S3Sdk, place: Place, range?: ByteRange): Promise<Chunk> {
  const pieces: Chunk[] = [];
  for await (const piece of objectBytes(s3, place, range)) pieces.push(piece);
  const bytes = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}
