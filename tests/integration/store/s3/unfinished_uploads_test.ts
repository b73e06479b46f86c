import * as S3 from "@aws-sdk/client-s3";
import { assertEquals } from "@std/assert";
import { afterAll, afterEach, beforeAll, describe, it } from "@std/testing/bdd";
import { abortUploads } from "../../../../lib/store/s3/unfinished_uploads.ts";
import { goTool, VERSITYGW } from "../../../faults/go_tool.ts";
import { Bucket } from "./versitygw.ts";

const KEYS = { id: "keeper", secret: "marked-s3-77ab" };
const tool = await goTool(VERSITYGW);

/** The service is built with Go; without it, the tests are skipped. */
const suite = tool ? describe : describe.skip;

suite("abortUploads()", () => {
  let bucket: Bucket;
  let sdk: typeof S3 & { client: S3.S3Client };
  const below = (Prefix: string) => ({ Bucket: Bucket.NAME, Prefix });

  async function startUploads(...keys: string[]): Promise<void> {
    for (const Key of keys) {
      const location = { Bucket: Bucket.NAME, Key };
      const { UploadId } = await sdk.client.send(new S3.CreateMultipartUploadCommand(location));
      await sdk.client.send(new S3.UploadPartCommand({ ...location, UploadId, PartNumber: 1, Body: "half" }));
    }
  }

  async function findUploads(): Promise<string[]> {
    const { Uploads } = await sdk.client.send(new S3.ListMultipartUploadsCommand({ Bucket: Bucket.NAME }));
    return (Uploads ?? []).map(({ Key }) => Key!).sort();
  }

  beforeAll(async () => {
    bucket = await Bucket.start(tool!, KEYS);
    const client = new S3.S3Client({
      endpoint: bucket.endpoint,
      region: "us-east-1",
      forcePathStyle: true,
      credentials: { accessKeyId: KEYS.id, secretAccessKey: KEYS.secret },
    });
    sdk = { ...S3, client };
  });
  afterEach(() => abortUploads(sdk, below(""), () => false));
  afterAll(async () => {
    sdk.client.destroy();
    await bucket.close();
  });

  for (const pageSize of [1, 2, 3, 1000]) {
    it(`aborts all uploads with the prefix except those to keep, with a page size of ${pageSize}`, async () => {
      await startUploads("a/1", "a/1", "a/1", "a/2", "a/deep/3", "a/raw/4", "b/5");
      await abortUploads(sdk, below("a/"), (key) => key.startsWith("a/raw/"), pageSize);
      assertEquals(await findUploads(), ["a/raw/4", "b/5"]);
    });
  }

  it("does nothing when there are no uploads", async () => {
    await abortUploads(sdk, below("a/"), () => false);
    assertEquals(await findUploads(), []);
  });
});
