import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { exitCodeOf } from "../../../../lib/console/errors.ts";
import { acquireLease, EXPIRY_MS, type LeaseTimes } from "../../../../lib/store/s3/lease.ts";
import type { Lock } from "../../../../lib/store/store.ts";
import { FakeBucket } from "../fake_bucket.ts";

const KEY = "locks/run";
/** Renews as fast as it can; what is not renewed is not renewed for long. */
const FAST: LeaseTimes = { expiryMs: EXPIRY_MS, renewMs: 20, renewalMs: 10_000, renewAgainMs: 5 };
/** Never renews while a test runs. */
const CALM: LeaseTimes = { ...FAST, renewMs: 600_000 };

let bucket: FakeBucket;
beforeEach(() => {
  bucket = new FakeBucket();
});
afterEach(() => bucket.close());

const hold = (times = CALM, options: { shared?: boolean } = {}) =>
  acquireLease(bucket.sdk, bucket.place(KEY), options, times);

async function held(times = CALM, options: { shared?: boolean } = {}): Promise<Lock> {
  const lease = await hold(times, options);
  assert(lease, "the lease is another's");
  return lease;
}

const puts = () => bucket.requests.filter((request) => request === `PUT ${KEY}`).length;

/** Loses the answer to the next so many PUTs that are carried out. */
function loseAnswers(count: number): void {
  bucket.fault = (request) => request.startsWith("PUT") && count-- > 0 ? "lose the answer" : undefined;
}

function lossOf({ lost }: Lock): Promise<Error> {
  return new Promise((resolve) => {
    if (lost.aborted) resolve(lost.reason);
    else lost.addEventListener("abort", () => resolve(lost.reason));
  });
}

describe("acquireLease()", () => {
  it("is taken although the answer to its first PUT was lost", async () => {
    loseAnswers(1);
    const lease = await held();
    assertEquals(await hold(), undefined);
    await lease.release();
    assertEquals(bucket.objects.size, 0);
  });

  it("goes on renewing after an answer was lost, under the same owner", async () => {
    const lease = await held(FAST);
    const owner = bucket.owner(KEY);
    loseAnswers(1);
    const before = puts();
    const { etag } = bucket.objects.get(KEY)!;
    await bucket.until(() => puts() >= before + 5);
    assert(!lease.lost.aborted);
    assertEquals(bucket.owner(KEY), owner);
    assert(bucket.objects.get(KEY)!.etag !== etag);
    await lease.release();
    assertEquals(bucket.objects.size, 0);
  });

  it("renews one after the other, however long the bucket takes", async () => {
    let under = 0;
    let most = 0;
    const { client } = bucket.sdk;
    const send = client.send.bind(client) as (...args: unknown[]) => Promise<unknown>;
    client.send = (async (...args: unknown[]) => {
      if (!(args[0] instanceof bucket.sdk.PutObjectCommand)) return await send(...args);
      most = Math.max(most, ++under);
      await new Promise((resolve) => setTimeout(resolve, 3 * FAST.renewMs));
      return await send(...args).finally(() => under--);
    }) as typeof client.send;
    const lease = await held(FAST);
    await bucket.until(() => puts() >= 4);
    await lease.release();
    assertEquals([most, under], [1, 0]);
  });

  it("is lost when another has taken it over, and leaves the other's alone", async () => {
    const lease = await held(FAST);
    bucket.put(KEY, JSON.stringify({ owner: "another" }));
    const reason = await lossOf(lease);
    assertStringIncludes(
      reason.message,
      `The lock ${KEY} in bucket shop was lost: another command took it over`,
    );
    assertEquals(exitCodeOf(reason), 75);
    await lease.release();
    assertEquals(bucket.owner(KEY), "another");
  });

  it("is lost when its object is gone", async () => {
    const lease = await held(FAST);
    bucket.objects.delete(KEY);
    assertStringIncludes((await lossOf(lease)).message, "was lost");
    await lease.release();
  });

  it("is lost when it could not be renewed until it expires", async () => {
    const lease = await held({ ...FAST, expiryMs: 150 });
    bucket.fault = (request) => request.startsWith("PUT") ? 500 : undefined;
    assertStringIncludes((await lossOf(lease)).message, "could not be renewed for 0.15 s");
    bucket.fault = () => undefined;
    await lease.release();
  });

  it("is kept when renewing fails for a while", async () => {
    const lease = await held(FAST);
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

  it("takes over what was not renewed for a minute by the bucket's clock, and nothing younger", async () => {
    bucket.aheadMs = 3_600_000;
    bucket.put(KEY, JSON.stringify({ owner: "dead" }), EXPIRY_MS - 5_000);
    assertEquals(await hold(), undefined);
    bucket.put(KEY, "not even JSON", EXPIRY_MS + 1_000);
    await (await held()).release();
    assertEquals(bucket.objects.size, 0);
  });

  it("does not take a bucket that cannot be read for a lease of another", async () => {
    bucket.put(KEY, JSON.stringify({ owner: "another" }));
    bucket.fault = (request) => request.startsWith("GET") ? 403 : undefined;
    const error = await assertRejects(() => hold());
    assertEquals((error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode, 403);
  });

  for (const status of [400, 501]) {
    it(`is deleted where the bucket answers a conditional DELETE with ${status}`, async () => {
      const lease = await held();
      let refusals = 1;
      bucket.fault = (request) => request.startsWith("DELETE") && refusals-- > 0 ? status : undefined;
      await lease.release();
      assertEquals(bucket.objects.size, 0);
    });
  }

  it("is shared by several, and then nobody's alone", async () => {
    const shares = [await held(CALM, { shared: true }), await held(CALM, { shared: true })];
    assertEquals(await hold(), undefined);
    await shares[0]!.release();
    assertEquals(await hold(), undefined);
    await shares[1]!.release();
    const whole = await held();
    assertEquals(await hold(CALM, { shared: true }), undefined);
    await whole.release();
    assertEquals(bucket.objects.size, 0);
  });

  it("removes shares of dead holders, and does not mind a dead holder of the whole", async () => {
    bucket.put(`${KEY}.shared-dead`, JSON.stringify({ owner: "dead" }), EXPIRY_MS + 1_000);
    await (await held()).release();
    assertEquals(bucket.objects.size, 0);
    bucket.put(KEY, JSON.stringify({ owner: "dead" }), EXPIRY_MS + 1_000);
    await (await held(CALM, { shared: true })).release();
    assertEquals([...bucket.objects.keys()], [KEY]);
  });
});
