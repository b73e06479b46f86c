/**
 * A lock in a bucket: an object created by a conditional PUT and renewed while its owner is alive. The object of a killed owner
 * remains, and anyone may take it over once it has not been renewed for {@linkcode EXPIRY_MS}. Expiry is computed from the bucket's
 * clock only, because the clocks of the machines may differ.
 *
 * The object contains its owner's id. If a response is lost, the client repeats the request, and the condition fails because of
 * the client's own first attempt. So a failed condition counts only if the object belongs to another owner.
 */
import { setTimeout as delay } from "node:timers/promises";
import { SalesflowError } from "../../console/errors.ts";
import type { ObjectLocation } from "./object_reader.ts";
import { httpStatusOf, type S3Sdk } from "./client.ts";
import type { Lock } from "../store.ts";

/** A lease that has not been renewed for this long is free. */
export const EXPIRY_MS = 60_000;
const RENEW_INTERVAL_MS = 15_000;
/** Timeout of a renewal with all its attempts, so that one stalled connection does not use up the lease. */
const RENEW_TIMEOUT_MS = 15_000;
/** Delay between a failed renewal and the next one. */
const RENEW_RETRY_DELAY_MS = 2_000;
/** Time limit for cleanup after a failure. What remains is cleaned up by the next command. */
export const CLEANUP_TIMEOUT_MS = 5_000;

/** Intervals of a lease in milliseconds. Only tests change them. */
export interface LeaseTimes {
  /**
   * Age at which a lease expires.
   *
   * @default {60_000}
   */
  expiryMs: number;
  /**
   * Time between renewals.
   *
   * @default {15_000}
   */
  renewIntervalMs: number;
  /**
   * Timeout of a renewal with all its attempts.
   *
   * @default {15_000}
   */
  renewTimeoutMs: number;
  /**
   * Delay after a failed renewal.
   *
   * @default {2_000}
   */
  renewRetryDelayMs: number;
}

const DEFAULT_TIMES: LeaseTimes = {
  expiryMs: EXPIRY_MS,
  renewIntervalMs: RENEW_INTERVAL_MS,
  renewTimeoutMs: RENEW_TIMEOUT_MS,
  renewRetryDelayMs: RENEW_RETRY_DELAY_MS,
};

/** Reports whether a condition failed: the object exists already, was replaced, or was deleted. */
function isConflict(error: unknown): boolean {
  return [404, 409, 412].includes(httpStatusOf(error)!) && (error as Error).name !== "NoSuchBucket";
}

/** Sends a command; returns the response and the bucket's time. */
async function sendWithTime<Output>(
  command: { middlewareStack: { add: unknown } },
  send: () => Promise<Output>,
): Promise<{ response: Output; nowMs: number }> {
  let nowMs = Number.NaN;
  const add = command.middlewareStack.add as (middleware: unknown, options: unknown) => void;
  const readDate = (next: (args: unknown) => Promise<{ response: unknown }>) => async (args: unknown) => {
    const result = await next(args);
    const { headers } = result.response as { headers: Record<string, string> };
    nowMs = Date.parse(headers.date ?? "");
    return result;
  };
  add.call(command.middlewareStack, readDate, { step: "deserialize", name: "salesflowReadDate" });
  const response = await send();
  if (Number.isNaN(nowMs)) throw new Error("the bucket's response has no Date header");
  return { response, nowMs };
}

interface LeaseState {
  owner: string | undefined;
  etag: string;
  /** Time since the last renewal. */
  ageMs: number;
}

class Lease implements Lock {
  readonly #s3: S3Sdk;
  readonly #location: ObjectLocation;
  readonly #times: LeaseTimes;
  readonly #owner = crypto.randomUUID();
  readonly #lost = new AbortController();
  readonly #released = new AbortController();
  #etag = "";
  /** When the request of the last successful renewal was sent. */
  #renewedAt = 0;
  #renewing: Promise<void> = Promise.resolve();

  constructor(s3: S3Sdk, location: ObjectLocation, times: LeaseTimes) {
    this.#s3 = s3;
    this.#location = location;
    this.#times = times;
  }

  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** Returns whether the lease was acquired. */
  async acquire(): Promise<boolean> {
    let acquired = await this.#put({ IfNoneMatch: "*" });
    if (!acquired) {
      const current = await this.#get();
      if (current && current.ageMs < this.#times.expiryMs) return false;
      acquired = await this.#put(current ? { IfMatch: current.etag } : { IfNoneMatch: "*" });
    }
    if (acquired) this.#renewing = this.#renewUntilReleased();
    return acquired;
  }

  /** Waits for a running renewal, then deletes the object unless another owner has taken it over. */
  async release(): Promise<void> {
    this.#released.abort();
    await this.#renewing;
    // If it cannot be deleted, it expires.
    await this.#remove(AbortSignal.timeout(CLEANUP_TIMEOUT_MS)).catch(() => {});
  }

  /** Returns the current state of the object; undefined when it does not exist. */
  async #get(abortSignal: AbortSignal = this.#released.signal): Promise<LeaseState | undefined> {
    const command = new this.#s3.GetObjectCommand(this.#location);
    try {
      const { response, nowMs } = await sendWithTime(command, async () => {
        const { Body, ETag, LastModified } = await this.#s3.client.send(command, { abortSignal });
        return { text: await Body!.transformToString(), ETag, LastModified };
      });
      return {
        owner: parseOwner(response.text),
        etag: response.ETag!,
        ageMs: nowMs - response.LastModified!.getTime(),
      };
    } catch (error) {
      if (httpStatusOf(error) === 404 && (error as Error).name !== "NoSuchBucket") return undefined;
      throw error;
    }
  }

  /** Writes the object if the condition holds. Returns whether the lease is ours. */
  async #put(
    condition: { IfNoneMatch: string } | { IfMatch: string },
    abortSignal: AbortSignal = this.#released.signal,
  ): Promise<boolean> {
    const sentAt = performance.now();
    const Body = JSON.stringify({ owner: this.#owner, renewed_at: new Date().toISOString() });
    try {
      const command = new this.#s3.PutObjectCommand({ ...this.#location, Body, ...condition });
      this.#etag = (await this.#s3.client.send(command, { abortSignal })).ETag!;
    } catch (error) {
      if (!isConflict(error)) throw error;
      // An earlier attempt may have succeeded although its response was lost.
      const current = await this.#get(abortSignal);
      if (current?.owner !== this.#owner) return false;
      this.#etag = current.etag;
    }
    this.#renewedAt = sentAt;
    return true;
  }

  async #renewUntilReleased(): Promise<void> {
    const { signal } = this.#released;
    const { expiryMs, renewIntervalMs, renewTimeoutMs, renewRetryDelayMs } = this.#times;
    for (let waitMs = renewIntervalMs;;) {
      try {
        await delay(waitMs, undefined, { signal, ref: false });
      } catch {
        return;
      }
      try {
        const abortSignal = AbortSignal.any([signal, AbortSignal.timeout(renewTimeoutMs)]);
        if (!await this.#put({ IfMatch: this.#etag }, abortSignal)) {
          return this.#lose("another command took it over");
        }
        waitMs = renewIntervalMs;
      } catch (cause) {
        if (signal.aborted) return;
        // Another owner may have taken it over.
        if (performance.now() - this.#renewedAt >= expiryMs) {
          return this.#lose(`it could not be renewed for ${expiryMs / 1000} s`, cause);
        }
        waitMs = renewRetryDelayMs;
      }
    }
  }

  #lose(why: string, cause?: unknown): void {
    const { Bucket, Key } = this.#location;
    const message = `The lock ${Key} in bucket ${Bucket} was lost: ${why}`;
    this.#lost.abort(new SalesflowError(message, { exitCode: 75, cause }));
  }

  async #remove(abortSignal: AbortSignal): Promise<void> {
    const current = await this.#get(abortSignal);
    if (current?.owner !== this.#owner) return;
    const remove = (condition: { IfMatch?: string }) =>
      this.#s3.client.send(new this.#s3.DeleteObjectCommand({ ...this.#location, ...condition }), {
        abortSignal,
      });
    try {
      await remove({ IfMatch: current.etag });
    } catch (error) {
      // Some services reject the condition; others ignore it.
      if (httpStatusOf(error) !== 501 && httpStatusOf(error) !== 400) throw error;
      await remove({});
    }
  }
}

function parseOwner(text: string): string | undefined {
  try {
    const { owner } = JSON.parse(text);
    return typeof owner === "string" ? owner : undefined;
  } catch {
    return undefined;
  }
}

/** Returns the key prefix of shared leases. */
const sharedPrefix = ({ Key }: ObjectLocation) => `${Key}.shared-`;

/** Reports whether a shared lease is held; deletes expired ones. */
async function isShared(s3: S3Sdk, location: ObjectLocation, { expiryMs }: LeaseTimes): Promise<boolean> {
  const command = new s3.ListObjectsV2Command({ Bucket: location.Bucket, Prefix: sharedPrefix(location) });
  const { response, nowMs } = await sendWithTime(command, () => s3.client.send(command));
  let isHeld = false;
  for (const { Key, LastModified } of response.Contents ?? []) {
    if (nowMs - LastModified!.getTime() < expiryMs) isHeld = true;
    else await s3.client.send(new s3.DeleteObjectCommand({ Bucket: location.Bucket, Key: Key! }));
  }
  return isHeld;
}

/** Reports whether the exclusive lease is held. */
async function isExclusive(s3: S3Sdk, location: ObjectLocation, { expiryMs }: LeaseTimes): Promise<boolean> {
  const command = new s3.HeadObjectCommand(location);
  try {
    const { response, nowMs } = await sendWithTime(command, () => s3.client.send(command));
    return nowMs - response.LastModified!.getTime() < expiryMs;
  } catch (error) {
    if (httpStatusOf(error) === 404) return false;
    throw error;
  }
}

/**
 * Acquires a lease, exclusive or shared; undefined when it is held. Each shared holder has its own object. Both kinds write
 * their object first and then check for the other kind, so that they cannot both succeed.
 *
 * @throws the client's error when a request fails
 */
export async function acquireLease(
  s3: S3Sdk,
  location: ObjectLocation,
  { shared = false }: { shared?: boolean } = {},
  times: LeaseTimes = DEFAULT_TIMES,
): Promise<Lock | undefined> {
  const own = shared ? { ...location, Key: sharedPrefix(location) + crypto.randomUUID() } : location;
  const lease = new Lease(s3, own, times);
  if (!await lease.acquire()) return undefined;
  try {
    const isHeld = shared ? await isExclusive(s3, location, times) : await isShared(s3, location, times);
    if (!isHeld) return lease;
  } catch (error) {
    await lease.release();
    throw error;
  }
  await lease.release();
  return undefined;
}
