import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { SalesflowError } from "../../../../lib/console/errors.ts";
import { createClient, httpStatusOf, type S3Sdk } from "../../../../lib/store/s3/client.ts";
import { captureLog } from "../../console/captured_log.ts";
import { FakeBucket } from "../fake_bucket.ts";

const KEY = "run.json";
const CREDENTIALS = { AWS_ACCESS_KEY_ID: "id", AWS_SECRET_ACCESS_KEY: "secret" };

let bucket: FakeBucket;
let s3: S3Sdk;
const previous = new Map<string, string | undefined>();
beforeEach(async () => {
  for (const [name, value] of Object.entries(CREDENTIALS)) {
    previous.set(name, Deno.env.get(name));
    Deno.env.set(name, value);
  }
  bucket = new FakeBucket();
  bucket.put(KEY, "{}");
  s3 = await createClient({ endpoint: bucket.endpoint, region: "us-east-1" });
});
afterEach(async () => {
  s3.client.destroy();
  await bucket.close();
  for (const [name, value] of previous) {
    value === undefined ? Deno.env.delete(name) : Deno.env.set(name, value);
  }
});

async function get(): Promise<string> {
  const { Body } = await s3.client.send(new s3.GetObjectCommand(bucket.locate(KEY)));
  return await Body!.transformToString();
}

describe("createClient()", () => {
  it("retries a temporary failure, and logs it without the key", async () => {
    const faults = [503];
    bucket.fault = () => faults.shift();
    const records = await captureLog(async () => {
      assertEquals(await get(), "{}");
    });
    assertEquals(bucket.requests, [`GET ${KEY}`, `GET ${KEY}`]);
    assertEquals(records.map(({ logger, level }) => [logger, level]), [["salesflow.store", "WARN"]]);
    const { message } = records[0]!;
    assertEquals(message.startsWith("GetObject: "), true, message);
    assertStringIncludes(message, "; retrying (");
    assertEquals(message.includes(CREDENTIALS.AWS_SECRET_ACCESS_KEY), false);
  });

  it("does not retry or log a permanent failure", async () => {
    bucket.fault = () => 403;
    const records = await captureLog(() => assertRejects(get));
    assertEquals([bucket.requests.length, records], [1, []]);
  });
});

describe("AWS_CA_BUNDLE", () => {
  it("is an error when it cannot be read", async () => {
    const settings = { endpoint: "https://h", region: "us-east-1", caBundle: "/nowhere.pem" };
    const error = await assertRejects(() => createClient(settings), SalesflowError, "/nowhere.pem");
    assertEquals(error.exitCode, 2);
    assertStringIncludes(error.remedy!, "AWS_CA_BUNDLE");
  });

  it("is not read without TLS", async () => {
    const settings = { endpoint: "http://h", region: "us-east-1", caBundle: "/nowhere.pem" };
    (await createClient(settings)).client.destroy();
  });
});

describe("httpStatusOf()", () => {
  it("returns the status of the response", async () => {
    bucket.objects.clear();
    assertEquals(httpStatusOf(await assertRejects(get)), 404);
  });

  it("returns undefined for an error without a response", () => {
    assertEquals(httpStatusOf(new Error("connection refused")), undefined);
  });
});
