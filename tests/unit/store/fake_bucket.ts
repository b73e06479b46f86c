/** An in-memory bucket for leases and reads: conditional requests, ranges, its own clock, and faults on demand. */
import * as S3 from "@aws-sdk/client-s3";
import type { ObjectLocation } from "../../../lib/store/s3/object_reader.ts";

interface StoredObject {
  text: string;
  etag: string;
  modifiedMs: number;
}

/**
 * A fault of a request: its response is lost after it was carried out, it fails with a status, or the body of its response ends
 * or stalls after some bytes.
 */
export type BucketFault = "lose the response" | number | { cutAfter: number } | { stallAfter: number };

interface Answer {
  status: number;
  body?: string;
  headers?: Record<string, string>;
}

const BUCKET = "shop";

/** Serves requests of the real client over HTTP. */
export class FakeBucket {
  /** URL of the server. */
  readonly endpoint: string;
  /** The SDK's commands, with a client of this bucket. */
  readonly sdk: typeof S3 & { client: S3.S3Client };
  readonly objects = new Map<string, StoredObject>();
  /** Method, key and range (if any) of each request, in order. */
  readonly requests: string[] = [];
  /** Offset of the bucket's clock. */
  aheadMs = 0;
  /** Returns the fault of a request, given as method and key; undefined for none. */
  fault: (request: string) => BucketFault | undefined = () => undefined;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #waiters = new Set<() => void>();
  #etags = 0;

  constructor() {
    this.#server = Deno.serve(
      { port: 0, hostname: "127.0.0.1", onListen() {}, onError: () => new Response("", { status: 500 }) },
      (request) => this.#serve(request),
    );
    this.endpoint = `http://127.0.0.1:${this.#server.addr.port}`;
    const client = new S3.S3Client({
      endpoint: this.endpoint,
      region: "us-east-1",
      forcePathStyle: true,
      credentials: { accessKeyId: "id", secretAccessKey: "secret" },
      requestChecksumCalculation: "WHEN_REQUIRED",
      responseChecksumValidation: "WHEN_REQUIRED",
      maxAttempts: 3,
    });
    this.sdk = { ...S3, client };
  }

  locate(key: string): ObjectLocation {
    return { Bucket: BUCKET, Key: key };
  }

  /** Returns the owner in the object of a lease. */
  ownerOf(key: string): unknown {
    return JSON.parse(this.objects.get(key)!.text).owner;
  }

  /** Puts an object, like another client. */
  put(key: string, text: string, ageMs = 0): void {
    this.objects.set(key, { text, etag: `"${++this.#etags}"`, modifiedMs: this.#now() - ageMs });
  }

  /** Resolves when `condition` holds after a request. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#waiters.add(resolve));
  }

  async close(): Promise<void> {
    this.sdk.client.destroy();
    await this.#server.shutdown();
  }

  #now(): number {
    return Date.now() + this.aheadMs;
  }

  async #serve(request: Request): Promise<Response> {
    const url = new URL(request.url);
    const key = decodeURIComponent(url.pathname.slice(`/${BUCKET}/`.length));
    const name = `${request.method} ${key}`;
    const range = request.headers.get("range");
    const text = await request.text();
    this.requests.push(range === null ? name : `${name} ${range}`);
    const fault = this.fault(name);
    const { status, body = "", headers = {} } = typeof fault === "number"
      ? { status: fault }
      : this.#answer(request, key, text, url);
    for (const wake of this.#waiters) wake();
    this.#waiters.clear();
    const date = new Date(this.#now()).toUTCString();
    // The client retries after this status, and does not know that the request was carried out.
    if (fault === "lose the response") return new Response("", { status: 503, headers: { date } });
    const noBody = request.method === "HEAD" || status === 204;
    const content = typeof fault === "object" ? partialBody(body, fault) : body;
    const length = status === 204 ? {} : { "content-length": String(new TextEncoder().encode(body).length) };
    return new Response(noBody ? null : content, { status, headers: { date, ...length, ...headers } });
  }

  #answer(request: Request, key: string, text: string, url: URL): Answer {
    if (key === "") return { status: 200, body: this.#list(url.searchParams) };
    const found = this.objects.get(key);
    const match = request.headers.get("if-match");
    if (match !== null && !found) return { status: 404 };
    if ((match !== null && match !== found!.etag) || (request.headers.has("if-none-match") && found)) {
      return { status: 412 };
    }
    if (request.method === "PUT") {
      this.put(key, text);
      return { status: 200, headers: { etag: this.objects.get(key)!.etag } };
    }
    if (request.method === "DELETE") {
      this.objects.delete(key);
      return { status: 204 };
    }
    if (!found) return { status: 404 };
    const headers = { etag: found.etag, "last-modified": new Date(found.modifiedMs).toUTCString() };
    const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.get("range") ?? "");
    if (!range) return { status: 200, body: found.text, headers };
    const body = found.text.slice(Number(range[1]), range[2] ? Number(range[2]) + 1 : undefined);
    return { status: body === "" ? 416 : 206, body, headers };
  }

  #list(query: URLSearchParams): string {
    const prefix = query.get("prefix") ?? "";
    const delimiter = query.get("delimiter");
    const isDirect = (key: string) => !delimiter || !key.slice(prefix.length).includes(delimiter);
    const found = [...this.objects].filter(([key]) => key.startsWith(prefix));
    const folders = new Set(
      found.filter(([key]) => !isDirect(key)).map(([key]) =>
        key.slice(0, key.indexOf(delimiter!, prefix.length) + 1)
      ),
    );
    const prefixes = [...folders].map((folder) =>
      `<CommonPrefixes><Prefix>${folder}</Prefix></CommonPrefixes>`
    );
    const contents = found.filter(([key]) => isDirect(key)).map(([key, object]) =>
      `<Contents><Key>${key}</Key><LastModified>${
        new Date(object.modifiedMs).toISOString()
      }</LastModified></Contents>`
    );
    const entries = [...contents, ...prefixes].join("");
    return `<?xml version="1.0"?><ListBucketResult>${entries}</ListBucketResult>`;
  }
}

/** Sends the first bytes, then breaks the connection or sends nothing more. */
function partialBody(body: string, fault: { cutAfter: number } | { stallAfter: number }): ReadableStream {
  const length = "cutAfter" in fault ? fault.cutAfter : fault.stallAfter;
  let sent = false;
  return new ReadableStream({
    async pull(controller) {
      if (!sent) {
        controller.enqueue(new TextEncoder().encode(body.slice(0, length)));
        sent = true;
        return;
      }
      if ("stallAfter" in fault) return await new Promise<void>(() => {});
      // Without a pause, the server drops the first bytes as well.
      await new Promise((resolve) => setTimeout(resolve, 5));
      controller.error(new Error("connection cut by the test"));
    },
  });
}
