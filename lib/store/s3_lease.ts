/**
 * A lock in a bucket: an object that only one can create (conditional PUT), renewed while its owner lives. When the owner is killed the object stays, and
 * anybody may take it over once it has not been renewed for {@linkcode EXPIRY_MS}. Only the bucket's clock counts: those of the machines may differ.
 */
import type { S3Sdk } from "./s3_store.ts";

/** A lease that is not renewed for so long is free. */
export const EXPIRY_MS = 60_000;
const RENEW_MS = 15_000;
/** Time for tidying up after a failure; what does not succeed meanwhile is left to the next command. */
export const FAREWELL_MS = 5_000;

function refused(error: unknown): boolean {
  const status = (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
  return status === 412 || status === 409 || status === 404;
}

interface Found {
  etag: string;
  /** Since it was renewed. */
  ageMs: number;
}

/** The lease as it stands; undefined when there is none. Its age is told by the bucket's clock alone. */
async function look(s3: S3Sdk, place: { Bucket: string; Key: string }): Promise<Found | undefined> {
  const command = new s3.HeadObjectCommand(place);
  let now = Number.NaN;
  command.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      const { headers } = result.response as { headers: Record<string, string> };
      now = Date.parse(headers.date ?? "");
      return result;
    },
    { step: "deserialize", name: "salesflowTakesDate" },
  );
  const { ETag, LastModified } = await s3.client.send(command).catch(() => ({
    ETag: undefined,
    LastModified: undefined,
  }));
  if (!ETag || !LastModified || Number.isNaN(now)) return undefined;
  return { etag: ETag, ageMs: now - LastModified.getTime() };
}

/** Takes the lease; undefined when somebody else holds it. */
export async function holdLease(
  s3: S3Sdk,
  place: { Bucket: string; Key: string },
): Promise<{ release(): Promise<void> } | undefined> {
  const put = async (
    condition: { IfNoneMatch: string } | { IfMatch: string },
  ): Promise<string | undefined> => {
    try {
      const Body = JSON.stringify({ owner: crypto.randomUUID(), renewed_at: new Date().toISOString() });
      return (await s3.client.send(new s3.PutObjectCommand({ ...place, Body, ...condition }))).ETag;
    } catch (error) {
      if (refused(error)) return undefined;
      throw error;
    }
  };
  let etag = await put({ IfNoneMatch: "*" });
  if (etag === undefined) {
    const found = await look(s3, place);
    if (!found || found.ageMs < EXPIRY_MS) return undefined;
    etag = await put({ IfMatch: found.etag });
    if (etag === undefined) return undefined;
  }
  const renewal = setInterval(async () => {
    etag = await put({ IfMatch: etag! }).catch(() => etag) ?? etag;
  }, RENEW_MS);
  Deno.unrefTimer(renewal);
  return {
    async release() {
      clearInterval(renewal);
      // One that cannot be deleted expires.
      await s3.client.send(new s3.DeleteObjectCommand({ ...place }), {
        abortSignal: AbortSignal.timeout(FAREWELL_MS),
      }).catch(() => {});
    },
  };
}
