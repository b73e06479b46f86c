/**
 * A lock in a bucket: an object that only one can create (conditional PUT), renewed while its owner lives. When the owner is killed the object stays, and
 * anybody may take it over once it has not been renewed for {@linkcode EXPIRY_MS}.
 */
import type { S3Sdk } from "./s3_store.ts";

/** A lease that is not renewed for so long is free. */
export const EXPIRY_MS = 60_000;
const RENEW_MS = 15_000;

function refused(error: unknown): boolean {
  const status = (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
  return status === 412 || status === 409 || status === 404;
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
    const found = await s3.client.send(new s3.HeadObjectCommand(place)).catch(() => undefined);
    const age = Date.now() - (found?.LastModified?.getTime() ?? Date.now());
    if (!found?.ETag || age < EXPIRY_MS) return undefined;
    etag = await put({ IfMatch: found.ETag });
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
      await s3.client.send(new s3.DeleteObjectCommand({ ...place })).catch(() => {});
    },
  };
}
