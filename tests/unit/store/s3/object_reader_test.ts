import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { DEFAULT_LIMITS } from "../../../../lib/connection/limits.ts";
import { SalesflowError } from "../../../../lib/console/errors.ts";
import { httpStatusOf } from "../../../../lib/store/s3/client.ts";
import { type ByteRange, readObject, streamObject } from "../../../../lib/store/s3/object_reader.ts";
import { captureLog, type LogRecord } from "../../console/captured_log.ts";
import { type BucketFault, FakeBucket } from "../fake_bucket.ts";
import { joinBytes } from "../harness.ts";

const KEY = "runs/test/raw/part-00000.csv";
const TEXT = "0123456789";
const LIMITS = {
  ...DEFAULT_LIMITS,
  retries: 2,
  minRetryDelayMs: 1,
  maxRetryDelayMs: 1,
  stallTimeoutMs: 2_000,
};

let bucket: FakeBucket;
beforeEach(() => {
  bucket = new FakeBucket();
  bucket.put(KEY, TEXT);
});
afterEach(() => bucket.close());

async function read(range?: ByteRange, limits = LIMITS): Promise<string> {
  const chunks = await Array.fromAsync(streamObject(bucket.sdk, bucket.locate(KEY), range, limits));
  return new TextDecoder().decode(joinBytes(chunks));
}

/** Makes the first responses fail like this, one after another. */
function fail(...faults: BucketFault[]): void {
  bucket.fault = () => faults.shift();
}

describe("streamObject()", () => {
  it("yields a whole object or a range of it", async () => {
    assertEquals(await read(), TEXT);
    assertEquals(await read({ start: 2, end: 5 }), "234");
    assertEquals(bucket.requests, [`GET ${KEY}`, `GET ${KEY} bytes=2-4`]);
  });

  it("requests the rest from the current offset when the connection breaks, and logs it", async () => {
    fail({ cutAfter: 4 }, { cutAfter: 3 });
    let text = "";
    const records: LogRecord[] = await captureLog(async () => {
      text = await read();
    });
    assertEquals(text, TEXT);
    assertEquals(bucket.requests, [`GET ${KEY}`, `GET ${KEY} bytes=4-9`, `GET ${KEY} bytes=7-9`]);
    assertEquals(records.map(({ level }) => level), ["WARN", "WARN"]);
    assertStringIncludes(records[0]!.message, `${KEY}: interrupted at byte 4: `);
    assertStringIncludes(records[1]!.message, "retrying (0 attempts left)");
  });

  it("resumes within the requested range", async () => {
    fail({ cutAfter: 2 });
    await captureLog(async () => assertEquals(await read({ start: 3, end: 8 }), "34567"));
    assertEquals(bucket.requests.at(-1), `GET ${KEY} bytes=5-7`);
  });

  it("requests the rest when the connection stalls", async () => {
    fail({ stallAfter: 4 });
    const records = await captureLog(async () => {
      assertEquals(await read(undefined, { ...LIMITS, stallTimeoutMs: 100 }), TEXT);
    });
    assertStringIncludes(records[0]!.message, "no progress for 0.1 s");
  });

  it("throws when no retries are left", async () => {
    fail({ cutAfter: 1 }, { cutAfter: 1 }, { cutAfter: 1 });
    await captureLog(() => assertRejects(() => read()));
    assertEquals(bucket.requests.length, 3);
  });

  it("throws with exit code 75 when the object is replaced during the read", async () => {
    bucket.fault = () => {
      if (bucket.requests.length > 1) return undefined;
      setTimeout(() => bucket.put(KEY, "abcdefghij"));
      return { cutAfter: 4 };
    };
    await captureLog(async () => {
      const error = await assertRejects(
        () => read(),
        SalesflowError,
        `${KEY} was replaced while it was being read`,
      );
      assertEquals(error.exitCode, 75);
    });
  });

  it("throws the client's error when the object does not exist", async () => {
    bucket.objects.clear();
    assertEquals(httpStatusOf(await assertRejects(() => read())), 404);
  });
});

describe("readObject()", () => {
  it("returns a whole object or a range of it", async () => {
    const bytes = await readObject(bucket.sdk, bucket.locate(KEY));
    assertEquals(new TextDecoder().decode(bytes), TEXT);
    const range = await readObject(bucket.sdk, bucket.locate(KEY), { start: 8, end: 99 });
    assertEquals(new TextDecoder().decode(range), "89");
    assert(bytes instanceof Uint8Array);
  });
});
