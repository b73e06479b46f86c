/** Aborts multipart uploads that killed commands left unfinished. They occupy space but are not objects. */
import type * as S3 from "@aws-sdk/client-s3";
import type { S3Sdk } from "./client.ts";

/** The maximum that S3 returns. */
const UPLOADS_PER_PAGE = 1000;

async function abortUpload(s3: S3Sdk, Bucket: string, { Key, UploadId }: S3.MultipartUpload): Promise<void> {
  try {
    await s3.client.send(new s3.AbortMultipartUploadCommand({ Bucket, Key, UploadId }));
  } catch (error) {
    if ((error as Error).name !== "NoSuchUpload") throw error; // completed or aborted meanwhile
  }
}

/**
 * Aborts all unfinished uploads with a prefix, except those for whose key `keep` returns true.
 *
 * @param pageSize uploads per request, 1 to 1,000
 */
export async function abortUploads(
  s3: S3Sdk,
  { Bucket, Prefix }: { Bucket: string; Prefix: string },
  keep: (key: string) => boolean,
  pageSize: number = UPLOADS_PER_PAGE,
): Promise<void> {
  const request: S3.ListMultipartUploadsRequest = { Bucket, Prefix, MaxUploads: pageSize };
  let [aborted, mayHaveSkipped] = [0, false];
  while (true) {
    const page = await s3.client.send(new s3.ListMultipartUploadsCommand(request));
    for (const upload of page.Uploads ?? []) {
      if (keep(upload.Key!)) continue;
      await abortUpload(s3, Bucket, upload);
      aborted++;
    }
    if (page.IsTruncated && page.NextKeyMarker) {
      // Pages by key only, because some services do not support the upload-id marker. If a page ends between two uploads of
      // one key, the second is skipped and found by starting over.
      request.KeyMarker = page.NextKeyMarker;
      mayHaveSkipped = true;
    } else if (mayHaveSkipped && aborted > 0) {
      delete request.KeyMarker;
      [aborted, mayHaveSkipped] = [0, false];
    } else {
      return;
    }
  }
}
