import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { exitCodeOf } from "../../../../lib/console/errors.ts";
import { acquireLease, EXPIRY_MS, type LeaseTimes } from "../../../../lib/store/s3/lease.ts";
import type { Lock } from "../../../../lib/store/store.ts";
import { FakeBucket } from "../fake_bucket.ts";

const KEY = "locks/run";
/** Renews often, and retries soon after a failed renewal. */
const FAST: LeaseTimes = {
  expiryMs: EXPIRY_MS,
  renewIntervalMs: 20,
  renewTimeoutMs: 10_000,
  renewRetryDelayMs: 5,
};
/** Does not renew during a test. */
const SLOW: LeaseTimes = { ...FAST, renewIntervalMs: 600_000 };

let bucket: FakeBucket;
beforeEach(() => {
  bucket = new FakeBucket();
});
afterEach(() => bucket.close());

const acquire = (times = SLOW, options: { shared?: boolean } = {}) =>
  acquireLease(bucket.sdk, bucket.locate(KEY), options, times);

/** Acquires a lease that must be free. */
async function mustAcquire(times = SLOW, options: { shared?: boolean } = {}): Promise<Lock> {
  const lease = await acquire(times, options);
  assert(lease, "the lease is held");
  return lease;
}

const puts = () => bucket.requests.filter((request) => request === `PUT ${KEY}`).length;

/** Loses the responses of the next PUTs, which are carried out. */
function loseResponses(count: number): void {
  bucket.fault = (request) => request.startsWith("PUT") && count-- > 0 ? "lose the response" : undefined;
}

function whenLost({ lost }: Lock): Promise<Error> {
  return new Promise((resolve) => {
    if (lost.aborted) resolve(lost.reason);
    else lost.addEventListener("abort", () => resolve(lost.reason));
  });
}

describe("acquireLease()", () => {
  it("returns a lease when the response of its first PUT is lost", async () => {
    loseResponses(1);
    const lease = await mustAcquire();
    assertEquals(await acquire(), undefined);
    await lease.release();
    assertEquals(bucket.objects.size, 0);
  });

  it("keeps renewing for the same owner after a response is lost", async () => {
    const lease = await mustAcquire(FAST);
    const owner = bucket.ownerOf(KEY);
    loseResponses(1);
    const before = puts();
    const { etag } = bucket.objects.get(KEY)!;
    await bucket.until(() => puts() >= before + 5);
    assert(!lease.lost.aborted);
    assertEquals(bucket.ownerOf(KEY), owner);
    assert(bucket.objects.get(KEY)!.etag !== etag);
    await lease.release();
    assertEquals(bucket.objects.size, 0);
  });

  it("does not overlap renewals when the bucket is slow", async () => {
    let running = 0;
    let max = 0;
    const { client } = bucket.sdk;
    const send = client.send.bind(client) as (...args: unknown[]) => Promise<unknown>;
    client.send = (async (...args: unknown[]) => {
      if (!(args[0] instanceof bucket.sdk.PutObjectCommand)) return await send(...args);
      max = Math.max(max, ++running);
      await new Promise((resolve) => setTimeout(resolve, 3 * FAST.renewIntervalMs));
      return await send(...args).finally(() => running--);
    }) as typeof client.send;
    const lease = await mustAcquire(FAST);
    await bucket.until(() => puts() >= 4);
    await lease.release();
    assertEquals([max, running], [1, 0]);
  });

  it("fires lost when another owner takes the lease over, and does not delete that owner's object", async () => {
    const lease = await mustAcquire(FAST);
    bucket.put(KEY, JSON.stringify({ owner: "another" }));
    const reason = await whenLost(lease);
    assertStringIncludes(
      reason.message,
      `The lock ${KEY} in bucket shop was lost: another command took it over`,
    );
    assertEquals(exitCodeOf(reason), 75);
    await lease.release();
    assertEquals(bucket.ownerOf(KEY), "another");
  });

  it("fires lost when the object is deleted", async () => {
    const lease = await mustAcquire(FAST);
    bucket.objects.delete(KEY);
    assertStringIncludes((await whenLost(lease)).message, "was lost");
    await lease.release();
  });

  it("fires lost when the lease expires because renewals fail", async () => {
    const lease = await mustAcquire({ ...FAST, expiryMs: 150 });
    bucket.fault = (request) => request.startsWith("PUT") ? 500 : undefined;
    assertStringIncludes((await whenLost(lease)).message, "could not be renewed for 0.15 s");
    bucket.fault = () => undefined;
    await lease.release();
  });

  it("keeps the lease when renewals fail for a short time", async () => {
    const lease = await mustAcquire(FAST);
    bucket.fault = (request) => request.startsWith("PUT") ? 500 : undefined;
    const failed = puts();
    await bucket.until(() => puts() >= failed + 4);
    bucket.fault = () => undefined;
    const { etag } = bucket.objects.get(KEY)!;
    await bucket.until(() => bucket.objects.get(KEY)!.etag !== etag);
    assert(!lease.lost.aborted);
    await lease.release();
    assertEquals(bucket.objects.size, 0);
  });

  it("takes over only leases that are a minute old by the bucket's clock", async () => {
    bucket.aheadMs = 3_600_000;
    bucket.put(KEY, JSON.stringify({ owner: "dead" }), EXPIRY_MS - 5_000);
    assertEquals(await acquire(), undefined);
    bucket.put(KEY, "not even JSON", EXPIRY_MS + 1_000);
    await (await mustAcquire()).release();
    assertEquals(bucket.objects.size, 0);
  });

  it("throws when the bucket denies reading the lease", async () => {
    bucket.put(KEY, JSON.stringify({ owner: "another" }));
    bucket.fault = (request) => request.startsWith("GET") ? 403 : undefined;
    const error = await assertRejects(() => acquire());
    assertEquals((error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode, 403);
  });

  for (const status of [400, 501]) {
    it(`deletes the object when the bucket rejects a conditional DELETE with ${status}`, async () => {
      const lease = await mustAcquire();
      let rejections = 1;
      bucket.fault = (request) => request.startsWith("DELETE") && rejections-- > 0 ? status : undefined;
      await lease.release();
      assertEquals(bucket.objects.size, 0);
    });
  }

  it("returns several shared leases, but no exclusive one beside them", async () => {
    const shared = [await mustAcquire(SLOW, { shared: true }), await mustAcquire(SLOW, { shared: true })];
    assertEquals(await acquire(), undefined);
    await shared[0]!.release();
    assertEquals(await acquire(), undefined);
    await shared[1]!.release();
    const exclusive = await mustAcquire();
    assertEquals(await acquire(SLOW, { shared: true }), undefined);
    await exclusive.release();
    assertEquals(bucket.objects.size, 0);
  });

  it("deletes expired shared leases, and ignores an expired exclusive one", async () => {
    bucket.put(`${KEY}.shared-dead`, JSON.stringify({ owner: "dead" }), EXPIRY_MS + 1_000);
    await (await mustAcquire()).release();
    assertEquals(bucket.objects.size, 0);
    bucket.put(KEY, JSON.stringify({ owner: "dead" }), EXPIRY_MS + 1_000);
    await (await mustAcquire(SLOW, { shared: true })).release();
    assertEquals([...bucket.objects.keys()], [KEY]);
  });
});
