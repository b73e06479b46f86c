/**
 * A lock in a bucket: an object that only one can create (conditional PUT), renewed while its owner lives. When the owner is killed the object stays, and
 * anybody may take it over once it has not been renewed for {@linkcode EXPIRY_MS}. Only the bucket's clock counts: those of the machines may differ.
 *
 * The object names its owner. An answer that is lost on the way makes the client try again and be refused by what it
 * wrote itself, so whoever is refused looks whose the lease is before believing it.
 */
import { setTimeout as delay } from "node:timers/promises";
import { SalesflowError } from "../../console/errors.ts";
import type { Place } from "./object_reader.ts";
import type { S3Sdk } from "./client.ts";
import type { Lock } from "../store.ts";

/** A lease that is not renewed for so long is free. */
export const EXPIRY_MS = 60_000;
const RENEW_MS = 15_000;
/** For one renewal with all its tries: a connection that has fallen silent must not cost the whole lease. */
const RENEWAL_MS = 15_000;
/** Between a renewal that failed and the next one. */
const RENEW_AGAIN_MS = 2_000;
/** Time for tidying up after a failure; what does not succeed meanwhile is left to the next command. */
export const CLEANUP_TIMEOUT_MS = 5_000;

/** Times of a lease, in milliseconds; only tests have others. */
export interface LeaseTimes {
  /** @default {60_000} */
  expiryMs: number;
  /** @default {15_000} */
  renewMs: number;
  /** @default {15_000} */
  renewalMs: number;
  /** @default {2_000} */
  renewAgainMs: number;
}

const TIMES: LeaseTimes = {
  expiryMs: EXPIRY_MS,
  renewMs: RENEW_MS,
  renewalMs: RENEWAL_MS,
  renewAgainMs: RENEW_AGAIN_MS,
};

function statusOf(error: unknown): number | undefined {
  return (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
}

/** Somebody was faster: the object is there already, is another one now, or is gone. */
function refused(error: unknown): boolean {
  return [404, 409, 412].includes(statusOf(error)!) && (error as Error).name !== "NoSuchBucket";
}

/** Sends a command; tells its answer and the bucket's time. */
async function withTime<Output>(
  command: { middlewareStack: { add: unknown } },
  send: () => Promise<Output>,
): Promise<{ answer: Output; nowMs: number }> {
  let nowMs = Number.NaN;
  const add = command.middlewareStack.add as (middleware: unknown, options: unknown) => void;
  const takeDate = (next: (args: unknown) => Promise<{ response: unknown }>) => async (args: unknown) => {
    const result = await next(args);
    const { headers } = result.response as { headers: Record<string, string> };
    nowMs = Date.parse(headers.date ?? "");
    return result;
  };
  add.call(command.middlewareStack, takeDate, { step: "deserialize", name: "salesflowTakesDate" });
  const answer = await send();
  if (Number.isNaN(nowMs)) throw new Error("the bucket's answer has no date");
  return { answer, nowMs };
}

interface Found {
  owner: string | undefined;
  etag: string;
  /** Since it was renewed. */
  ageMs: number;
}

/** One lease of one owner. */
class Lease implements Lock {
  readonly #s3: S3Sdk;
  readonly #place: Place;
  readonly #times: LeaseTimes;
  readonly #owner = crypto.randomUUID();
  readonly #lost = new AbortController();
  readonly #released = new AbortController();
  #etag = "";
  /** When the last renewal that is known to have worked was sent. */
  #renewedAt = 0;
  #renewing: Promise<void> = Promise.resolve();

  constructor(s3: S3Sdk, place: Place, times: LeaseTimes) {
    this.#s3 = s3;
    this.#place = place;
    this.#times = times;
  }

  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** @returns whether the lease is ours now */
  async take(): Promise<boolean> {
    let ours = await this.#put({ IfNoneMatch: "*" });
    if (!ours) {
      const found = await this.#look();
      if (found && found.ageMs < this.#times.expiryMs) return false;
      ours = await this.#put(found ? { IfMatch: found.etag } : { IfNoneMatch: "*" });
    }
    if (ours) this.#renewing = this.#renewUntilReleased();
    return ours;
  }

  /** Never overlaps itself; deletes nothing that is another's. */
  async release(): Promise<void> {
    this.#released.abort();
    await this.#renewing;
    // One that cannot be deleted expires.
    await this.#remove(AbortSignal.timeout(CLEANUP_TIMEOUT_MS)).catch(() => {});
  }

  /** The lease as it stands; undefined when there is none. Its age is told by the bucket's clock alone. */
  async #look(abortSignal: AbortSignal = this.#released.signal): Promise<Found | undefined> {
    const command = new this.#s3.GetObjectCommand(this.#place);
    try {
      const { answer, nowMs } = await withTime(command, async () => {
        const { Body, ETag, LastModified } = await this.#s3.client.send(command, { abortSignal });
        return { text: await Body!.transformToString(), ETag, LastModified };
      });
      return {
        owner: ownerIn(answer.text),
        etag: answer.ETag!,
        ageMs: nowMs - answer.LastModified!.getTime(),
      };
    } catch (error) {
      if (statusOf(error) === 404 && (error as Error).name !== "NoSuchBucket") return undefined;
      throw error;
    }
  }

  /** Writes the lease when the condition holds. @returns whether it is ours now */
  async #put(
    condition: { IfNoneMatch: string } | { IfMatch: string },
    abortSignal: AbortSignal = this.#released.signal,
  ): Promise<boolean> {
    const sentAt = performance.now();
    const Body = JSON.stringify({ owner: this.#owner, renewed_at: new Date().toISOString() });
    try {
      const command = new this.#s3.PutObjectCommand({ ...this.#place, Body, ...condition });
      this.#etag = (await this.#s3.client.send(command, { abortSignal })).ETag!;
    } catch (error) {
      if (!refused(error)) throw error;
      // An earlier try may have come through without its answer coming back.
      const found = await this.#look(abortSignal);
      if (found?.owner !== this.#owner) return false;
      this.#etag = found.etag;
    }
    this.#renewedAt = sentAt;
    return true;
  }

  async #renewUntilReleased(): Promise<void> {
    const { signal } = this.#released;
    const { expiryMs, renewMs, renewalMs, renewAgainMs } = this.#times;
    for (let waitMs = renewMs;;) {
      try {
        await delay(waitMs, undefined, { signal, ref: false });
      } catch {
        return;
      }
      try {
        const abortSignal = AbortSignal.any([signal, AbortSignal.timeout(renewalMs)]);
        if (!await this.#put({ IfMatch: this.#etag }, abortSignal)) {
          return this.#lose("another command took it over");
        }
        waitMs = renewMs;
      } catch (cause) {
        if (signal.aborted) return;
        // From here on another may have it.
        if (performance.now() - this.#renewedAt >= expiryMs) {
          return this.#lose(`it could not be renewed for ${expiryMs / 1000} s`, cause);
        }
        waitMs = renewAgainMs;
      }
    }
  }

  #lose(why: string, cause?: unknown): void {
    const message = `The lock ${this.#place.Key} in bucket ${this.#place.Bucket} was lost: ${why}`;
    this.#lost.abort(new SalesflowError(message, { exitCode: 75, cause }));
  }

  async #remove(abortSignal: AbortSignal): Promise<void> {
    const found = await this.#look(abortSignal);
    if (found?.owner !== this.#owner) return;
    const remove = (condition: { IfMatch?: string }) =>
      this.#s3.client.send(new this.#s3.DeleteObjectCommand({ ...this.#place, ...condition }), {
        abortSignal,
      });
    try {
      await remove({ IfMatch: found.etag });
    } catch (error) {
      // Not every service knows the condition; those that ignore it do what we ask.
      if (statusOf(error) !== 501 && statusOf(error) !== 400) throw error;
      await remove({});
    }
  }
}

function ownerIn(text: string): string | undefined {
  try {
    const { owner } = JSON.parse(text);
    return typeof owner === "string" ? owner : undefined;
  } catch {
    return undefined;
  }
}

/** Where leases of shared holders lie. */
const sharePrefix = ({ Key }: Place) => `${Key}.shared-`;

/** Whether a shared holder lives; what dead ones left is removed. */
async function isShared(s3: S3Sdk, place: Place, { expiryMs }: LeaseTimes): Promise<boolean> {
  const command = new s3.ListObjectsV2Command({ Bucket: place.Bucket, Prefix: sharePrefix(place) });
  const { answer, nowMs } = await withTime(command, () => s3.client.send(command));
  let live = false;
  for (const { Key, LastModified } of answer.Contents ?? []) {
    if (nowMs - LastModified!.getTime() < expiryMs) live = true;
    else await s3.client.send(new s3.DeleteObjectCommand({ Bucket: place.Bucket, Key: Key! }));
  }
  return live;
}

/** Whether somebody holds the lease for itself alone. */
async function isHeld(s3: S3Sdk, place: Place, { expiryMs }: LeaseTimes): Promise<boolean> {
  const command = new s3.HeadObjectCommand(place);
  try {
    const { answer, nowMs } = await withTime(command, () => s3.client.send(command));
    return nowMs - answer.LastModified!.getTime() < expiryMs;
  } catch (error) {
    if (statusOf(error) === 404) return false;
    throw error;
  }
}

/**
 * Takes the lease, alone or together with others who share it; undefined when that is not possible now. A shared holder has
 * an object of its own. Each kind first writes its own and then looks for the other's, so that never both go on.
 *
 * @throws the client's error when the bucket cannot be asked
 */
export async function acquireLease(
  s3: S3Sdk,
  place: Place,
  { shared = false }: { shared?: boolean } = {},
  times: LeaseTimes = TIMES,
): Promise<Lock | undefined> {
  const own = shared ? { ...place, Key: sharePrefix(place) + crypto.randomUUID() } : place;
  const lease = new Lease(s3, own, times);
  if (!await lease.take()) return undefined;
  try {
    const taken = shared ? await isHeld(s3, place, times) : await isShared(s3, place, times);
    if (!taken) return lease;
  } catch (error) {
    await lease.release();
    throw error;
  }
  await lease.release();
  return undefined;
}
