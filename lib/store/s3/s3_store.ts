/**
 * A store in a bucket of an S3-compatible service, through the AWS SDK. Credentials come from the SDK's default sources, such as
 * `AWS_ACCESS_KEY_ID`. Services other than Amazon S3 are addressed with path-style URLs.
 */
import { Buffer } from "node:buffer";
import { once } from "node:events";
import { PassThrough } from "node:stream";
import { createClient, httpStatusOf, type S3Sdk } from "./client.ts";
import { s3Error } from "./errors.ts";
import { acquireLease, CLEANUP_TIMEOUT_MS } from "./lease.ts";
import { type ObjectLocation, readObject, streamObject } from "./object_reader.ts";
import type { S3Settings } from "./settings.ts";
import { abortUploads } from "./unfinished_uploads.ts";
import type { Lock, Store, StoreWriter } from "../store.ts";

/** S3 allows parts of 5 MiB to 5 GiB, and 10,000 parts per upload. */
const UPLOAD_PART_BYTES = 16 * 1024 * 1024;
/** Parts of one file that are uploaded at the same time. */
const MAX_CONCURRENT_PARTS = 2;

/** The part of the SDK's Upload that S3Writer uses. */
interface RunningUpload {
  /** Undefined until S3 has assigned it, and for an upload in a single request. */
  uploadId?: string | undefined;
  done(): Promise<unknown>;
  abort(): Promise<void>;
}

class S3Writer implements StoreWriter {
  readonly #body = new PassThrough({ highWaterMark: UPLOAD_PART_BYTES });
  readonly #upload: RunningUpload;
  readonly #done: Promise<unknown>;
  readonly #name: string;
  readonly #abortUpload: (uploadId: string) => Promise<unknown>;

  /**
   * @param name of the file in messages
   * @param abortUpload removes the parts of an upload from the bucket
   */
  constructor(
    start: (body: PassThrough) => RunningUpload,
    name: string,
    abortUpload: (uploadId: string) => Promise<unknown>,
  ) {
    this.#name = name;
    this.#abortUpload = abortUpload;
    this.#upload = start(this.#body);
    this.#done = this.#upload.done();
    // The next write or close reports the error.
    this.#done.catch(() => this.#body.resume());
  }

  async write(bytes: Uint8Array): Promise<void> {
    try {
      if (!this.#body.write(Buffer.from(bytes))) await Promise.race([once(this.#body, "drain"), this.#done]);
    } catch (error) {
      throw s3Error(error, `write ${this.#name}`);
    }
  }

  async close(): Promise<void> {
    try {
      this.#body.end();
      await this.#done;
    } catch (error) {
      throw s3Error(error, `write ${this.#name}`);
    }
  }

  async abort(): Promise<void> {
    await this.#upload.abort().catch(() => {});
    this.#body.destroy();
    await this.#done.catch(() => {});
    const { uploadId } = this.#upload;
    if (uploadId !== undefined) await this.#abortUpload(uploadId).catch(() => {});
  }
}

/** A {@linkcode Store} in a bucket. */
export class S3Store implements Store {
  readonly url: string;
  readonly #bucket: string;
  /** Empty, or with a trailing slash. */
  readonly #prefix: string;

  readonly #settings: S3Settings;
  #sdk: Promise<S3Sdk> | undefined;

  /**
   * Sends no request.
   *
   * @param location `prefix` without leading and trailing slashes, or empty
   */
  constructor({ bucket, prefix }: { bucket: string; prefix: string }, settings: S3Settings) {
    this.#bucket = bucket;
    this.#prefix = prefix ? `${prefix}/` : "";
    this.#settings = settings;
    this.url = `s3://${bucket}${prefix ? `/${prefix}` : ""}`;
  }

  #locate(path: string): ObjectLocation {
    return { Bucket: this.#bucket, Key: this.#prefix + path };
  }

  async #run<T>(action: string, work: (s3: S3Sdk) => Promise<T>): Promise<T> {
    try {
      return await work(await (this.#sdk ??= createClient(this.#settings)));
    } catch (error) {
      throw s3Error(error, `${action} in ${this.url}`);
    }
  }

  /** Returns undefined when the object does not exist. */
  async #runOptional<T>(action: string, work: (s3: S3Sdk) => Promise<T>): Promise<T | undefined> {
    return await this.#run(action, async (s3) => {
      try {
        return await work(s3);
      } catch (error) {
        if (httpStatusOf(error) === 404 && (error as Error).name !== "NoSuchBucket") return undefined;
        throw error;
      }
    });
  }

  readText(path: string): Promise<string | undefined> {
    return this.#runOptional(
      `read ${path}`,
      async (s3) => new TextDecoder().decode(await readObject(s3, this.#locate(path))),
    );
  }

  async writeText(path: string, text: string): Promise<void> {
    await this.#run(
      `write ${path}`,
      (s3) => s3.client.send(new s3.PutObjectCommand({ ...this.#locate(path), Body: text })),
    );
  }

  async size(path: string): Promise<number | undefined> {
    return (await this.stat(path))?.size;
  }

  stat(path: string): Promise<{ size: number; modifiedAt: Date } | undefined> {
    return this.#runOptional(`get the size of ${path}`, async (s3) => {
      const head = await s3.client.send(new s3.HeadObjectCommand(this.#locate(path)));
      return { size: head.ContentLength ?? 0, modifiedAt: head.LastModified ?? new Date(0) };
    });
  }

  async read(path: string, start: number, end: number): Promise<Uint8Array<ArrayBuffer>> {
    return await this.#run(`read ${path}`, async (s3) => {
      try {
        return await readObject(s3, this.#locate(path), { start, end });
      } catch (error) {
        if (httpStatusOf(error) === 416) return new Uint8Array(); // `start` is at or beyond the end of the file
        throw error;
      }
    });
  }

  async stream(path: string): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
    const bytes = await this.#run(
      `read ${path}`,
      (s3) => Promise.resolve(streamObject(s3, this.#locate(path))),
    );
    const action = `read ${path} in ${this.url}`;
    return ReadableStream.from((async function* () {
      try {
        yield* bytes;
      } catch (error) {
        throw s3Error(error, action);
      }
    })());
  }

  async create(path: string): Promise<StoreWriter> {
    return await this.#run(`write ${path}`, async ({ client, AbortMultipartUploadCommand }) => {
      const { Upload } = await import("@aws-sdk/lib-storage");
      const start = (body: PassThrough) =>
        new Upload({
          client,
          params: { ...this.#locate(path), Body: body },
          partSize: UPLOAD_PART_BYTES,
          queueSize: MAX_CONCURRENT_PARTS,
          // S3Writer aborts the upload with a short timeout; the SDK would retry for as long as the client's limits allow.
          leavePartsOnError: true,
        });
      const abortUpload = (UploadId: string) =>
        client.send(new AbortMultipartUploadCommand({ ...this.#locate(path), UploadId }), {
          abortSignal: AbortSignal.timeout(CLEANUP_TIMEOUT_MS),
        });
      return new S3Writer(start, `${path} in ${this.url}`, abortUpload);
    });
  }

  async list(folder: string): Promise<string[]> {
    const prefix = folder === "" ? this.#prefix : `${this.#prefix}${folder}/`;
    return await this.#run(`list ${folder}`, async (s3) => {
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

  async folderSize(folder: string): Promise<number> {
    return await this.#run(`measure ${folder}`, async (s3) => {
      let bytes = 0;
      const request = { Bucket: this.#bucket, Prefix: `${this.#prefix}${folder}/` };
      for await (const { Contents = [] } of s3.paginateListObjectsV2({ client: s3.client }, request)) {
        for (const { Size = 0 } of Contents) bytes += Size;
      }
      return bytes;
    });
  }

  async remove(path: string): Promise<void> {
    const { Key } = this.#locate(path);
    await this.#run(`remove ${path}`, async (s3) => {
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
        if (Errors?.length) {
          throw new Error(`${Errors.length} objects were not deleted: ${Errors[0]!.Message}`);
        }
      }
    });
  }

  async sweep(folder: string, keep: (path: string) => boolean = () => false): Promise<void> {
    const prefix = `${this.#prefix}${folder}/`;
    await this.#run(
      `abort unfinished uploads of ${folder}`,
      (s3) =>
        abortUploads(s3, { Bucket: this.#bucket, Prefix: prefix }, (key) => keep(key.slice(prefix.length))),
    );
  }

  async lock(path: string, options: { shared?: boolean } = {}): Promise<Lock | undefined> {
    return await this.#run(`lock ${path}`, (s3) => acquireLease(s3, this.#locate(path), options));
  }
}
