/**
 * A store in a bucket of any S3-compatible service, through the official client. Credentials come from the client's usual places (`AWS_ACCESS_KEY_ID`
 * and so on); a service other than Amazon's is addressed by path.
 */
import { Buffer } from "node:buffer";
import { once } from "node:events";
import { PassThrough } from "node:stream";
import { SalesflowError } from "../../console/errors.ts";
import type { BucketService } from "./bucket_service.ts";
import { connect, type S3Sdk, statusOf } from "./client.ts";
import { acquireLease, CLEANUP_TIMEOUT_MS } from "./lease.ts";
import { objectBytes, readObject } from "./object_reader.ts";
import { abortUploads } from "./unfinished_uploads.ts";
import type { Lock, Store, StoreWriter } from "../store.ts";

/** Parts of an upload; S3 takes 5 MiB to 5 GiB and at most 10,000 of them. */
const UPLOAD_PART_BYTES = 16 * 1024 * 1024;
const UPLOADS_AT_ONCE = 2;

/** What to tell about a failed request. */
function explain(error: unknown, what: string): SalesflowError {
  if (error instanceof SalesflowError) return error;
  const status = statusOf(error);
  const name = error instanceof Error ? error.name : "";
  if (status === 403 || status === 401 || name === "CredentialsProviderError") {
    return new SalesflowError(`Cannot ${what}: access is denied`, {
      remedy: "Check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and what the bucket allows them.",
      cause: error,
    });
  }
  if (name === "NoSuchBucket") {
    return new SalesflowError(`Cannot ${what}: there is no such bucket`, {
      remedy: "Make the bucket, or correct --store.",
      cause: error,
    });
  }
  const final = status !== undefined && status >= 400 && status < 500 && status !== 408 && status !== 429;
  return new SalesflowError(`Cannot ${what}`, {
    exitCode: final ? 1 : 75,
    remedy: final
      ? "Check --store and SALESFLOW_S3_ENDPOINT."
      : "Check that SALESFLOW_S3_ENDPOINT can be reached, then try again.",
    cause: error,
  });
}

/** What S3Writer needs of the client's upload. */
interface RunningUpload {
  /** Undefined until S3 has named it, and for what fits into one request. */
  uploadId?: string | undefined;
  done(): Promise<unknown>;
  abort(): Promise<void>;
}

class S3Writer implements StoreWriter {
  readonly #body = new PassThrough({ highWaterMark: UPLOAD_PART_BYTES });
  readonly #upload: RunningUpload;
  readonly #done: Promise<unknown>;
  readonly #place: string;
  readonly #giveUp: (uploadId: string) => Promise<unknown>;

  /** @param giveUp tells S3 to forget the parts of an upload */
  constructor(
    start: (body: PassThrough) => RunningUpload,
    place: string,
    giveUp: (uploadId: string) => Promise<unknown>,
  ) {
    this.#place = place;
    this.#giveUp = giveUp;
    this.#upload = start(this.#body);
    this.#done = this.#upload.done();
    // A failure is reported by the next write or by close.
    this.#done.catch(() => this.#body.resume());
  }

  async write(bytes: Uint8Array): Promise<void> {
    try {
      if (!this.#body.write(Buffer.from(bytes))) await Promise.race([once(this.#body, "drain"), this.#done]);
    } catch (error) {
      throw explain(error, `write ${this.#place}`);
    }
  }

  async close(): Promise<void> {
    try {
      this.#body.end();
      await this.#done;
    } catch (error) {
      throw explain(error, `write ${this.#place}`);
    }
  }

  async abort(): Promise<void> {
    await this.#upload.abort().catch(() => {});
    this.#body.destroy();
    await this.#done.catch(() => {});
    const { uploadId } = this.#upload;
    if (uploadId !== undefined) await this.#giveUp(uploadId).catch(() => {});
  }
}

/** See {@linkcode Store}. */
export class S3Store implements Store {
  readonly url: string;
  readonly #bucket: string;
  /** Empty, or ends with a slash. */
  readonly #prefix: string;

  readonly #service: BucketService;
  #sdk: Promise<S3Sdk> | undefined;

  /** @param place `prefix` without slashes around it, or empty */
  constructor({ bucket, prefix }: { bucket: string; prefix: string }, service: BucketService) {
    this.#bucket = bucket;
    this.#prefix = prefix ? `${prefix}/` : "";
    this.#service = service;
    this.url = `s3://${bucket}${prefix ? `/${prefix}` : ""}`;
  }

  #at(path: string): { Bucket: string; Key: string } {
    return { Bucket: this.#bucket, Key: this.#prefix + path };
  }

  async #do<T>(what: string, work: (s3: S3Sdk) => Promise<T>): Promise<T> {
    try {
      return await work(await (this.#sdk ??= connect(this.#service)));
    } catch (error) {
      throw explain(error, `${what} in ${this.url}`);
    }
  }

  /** Undefined when there is no such object. */
  async #maybe<T>(what: string, work: (s3: S3Sdk) => Promise<T>): Promise<T | undefined> {
    return await this.#do(what, async (s3) => {
      try {
        return await work(s3);
      } catch (error) {
        if (statusOf(error) === 404 && (error as Error).name !== "NoSuchBucket") return undefined;
        throw error;
      }
    });
  }

  readText(path: string): Promise<string | undefined> {
    return this.#maybe(
      `read ${path}`,
      async (s3) => new TextDecoder().decode(await readObject(s3, this.#at(path))),
    );
  }

  async writeText(path: string, text: string): Promise<void> {
    await this.#do(
      `write ${path}`,
      (s3) => s3.client.send(new s3.PutObjectCommand({ ...this.#at(path), Body: text })),
    );
  }

  size(path: string): Promise<number | undefined> {
    return this.#maybe(`look at ${path}`, async (s3) => {
      return (await s3.client.send(new s3.HeadObjectCommand(this.#at(path)))).ContentLength;
    });
  }

  async read(path: string, start: number, end: number): Promise<Uint8Array<ArrayBuffer>> {
    return await this.#do(`read ${path}`, async (s3) => {
      try {
        return await readObject(s3, this.#at(path), { start, end });
      } catch (error) {
        if (statusOf(error) === 416) return new Uint8Array(); // the file ends before `start`
        throw error;
      }
    });
  }

  async stream(path: string): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
    const bytes = await this.#do(`read ${path}`, (s3) => Promise.resolve(objectBytes(s3, this.#at(path))));
    const what = `read ${path} in ${this.url}`;
    return ReadableStream.from((async function* () {
      try {
        yield* bytes;
      } catch (error) {
        throw explain(error, what);
      }
    })());
  }

  async create(path: string): Promise<StoreWriter> {
    return await this.#do(`write ${path}`, async ({ client, AbortMultipartUploadCommand }) => {
      const { Upload } = await import("@aws-sdk/lib-storage");
      const start = (body: PassThrough) =>
        new Upload({
          client,
          params: { ...this.#at(path), Body: body },
          partSize: UPLOAD_PART_BYTES,
          queueSize: UPLOADS_AT_ONCE,
          // The upload itself would insist on removing them for as long as the client is patient.
          leavePartsOnError: true,
        });
      const giveUp = (UploadId: string) =>
        client.send(new AbortMultipartUploadCommand({ ...this.#at(path), UploadId }), {
          abortSignal: AbortSignal.timeout(CLEANUP_TIMEOUT_MS),
        });
      return new S3Writer(start, `${path} in ${this.url}`, giveUp);
    });
  }

  async list(folder: string): Promise<string[]> {
    const prefix = `${this.#prefix}${folder}/`;
    return await this.#do(`list ${folder}`, async (s3) => {
      const names = new Set<string>();
      const pages = s3.paginateListObjectsV2({ client: s3.client }, {
        Bucket: this.#bucket,
        Prefix: prefix,
        Delimiter: "/",
      });
      for await (const { Contents = [], CommonPrefixes = [] } of pages) {
        for (const { Key } of Contents) names.add(Key!.slice(prefix.length));
        for (const { Prefix } of CommonPrefixes) names.add(Prefix!.slice(prefix.length, -1));
      }
      names.delete("");
      return [...names].sort();
    });
  }

  async remove(path: string): Promise<void> {
    const { Key } = this.#at(path);
    await this.#do(`remove ${path}`, async (s3) => {
      await s3.client.send(new s3.DeleteObjectCommand({ Bucket: this.#bucket, Key }));
      for await (
        const page of s3.paginateListObjectsV2({ client: s3.client }, {
          Bucket: this.#bucket,
          Prefix: `${Key}/`,
        })
      ) {
        const Objects = (page.Contents ?? []).map((object) => ({ Key: object.Key! }));
        if (Objects.length === 0) continue;
        const { Errors } = await s3.client.send(
          new s3.DeleteObjectsCommand({ Bucket: this.#bucket, Delete: { Objects, Quiet: true } }),
        );
        if (Errors?.length) throw new Error(`${Errors.length} objects stayed: ${Errors[0]!.Message}`);
      }
    });
  }

  async sweep(folder: string, keep: (path: string) => boolean = () => false): Promise<void> {
    const prefix = `${this.#prefix}${folder}/`;
    await this.#do(
      `clear unfinished uploads of ${folder}`,
      (s3) =>
        abortUploads(s3, { Bucket: this.#bucket, Prefix: prefix }, (key) => keep(key.slice(prefix.length))),
    );
  }

  async lock(path: string, options: { shared?: boolean } = {}): Promise<Lock | undefined> {
    return await this.#do(`lock ${path}`, (s3) => acquireLease(s3, this.#at(path), options));
  }
}
