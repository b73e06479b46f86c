/** Uploads in parts that were begun in a bucket and not finished: a killed command leaves them, and they are no objects. */
import type * as S3 from "@aws-sdk/client-s3";
import type { S3Sdk } from "./client.ts";

/** Uploads for each answer, the most that S3 gives. */
const PAGE_UPLOADS = 1000;

async function abortUpload(s3: S3Sdk, Bucket: string, { Key, UploadId }: S3.MultipartUpload): Promise<void> {
  try {
    await s3.client.send(new s3.AbortMultipartUploadCommand({ Bucket, Key, UploadId }));
  } catch (error) {
    if ((error as Error).name !== "NoSuchUpload") throw error; // somebody was faster
  }
}

/**
 * Gives up all unfinished uploads below a prefix, but those for whose key `keep` says yes.
 *
 * @param pageUploads how many to ask for at a time, 1 to 1,000
 */
export async function abortUploads(
  s3: S3Sdk,
  { Bucket, Prefix }: { Bucket: string; Prefix: string },
  keep: (key: string) => boolean,
  pageUploads: number = PAGE_UPLOADS,
): Promise<void> {
  const request: S3.ListMultipartUploadsRequest = { Bucket, Prefix, MaxUploads: pageUploads };
  let [aborted, missed] = [0, false];
  while (true) {
    const page = await s3.client.send(new s3.ListMultipartUploadsCommand(request));
    for (const upload of page.Uploads ?? []) {
      if (keep(upload.Key!)) continue;
      await abortUpload(s3, Bucket, upload);
      aborted++;
    }
    if (page.IsTruncated && page.NextKeyMarker) {
      // By keys alone, since not every service takes the marker of an upload. When a page ends between two uploads of one key,
      // the second is missed, and found from the beginning once more.
      request.KeyMarker = page.NextKeyMarker;
      missed = true;
    } else if (missed && aborted > 0) {
      delete request.KeyMarker;
      [aborted, missed] = [0, false];
    } else {
      return;
    }
  }
}
