/** A bucket in memory that speaks as much S3 as a lease needs, keeps its own time, and loses answers on demand. */
import * as S3 from "@aws-sdk/client-s3";

interface StoredObject {
  text: string;
  etag: string;
  modifiedMs: number;
}

const BUCKET = "shop";

/** Answers requests of the real client. */
export class FakeBucket {
  /** Has all commands of the client, and the client itself. */
  readonly sdk: typeof S3 & { client: S3.S3Client };
  readonly objects = new Map<string, StoredObject>();
  /** Method and key of each request, in order. */
  readonly requests: string[] = [];
  /** Moves the bucket's clock. */
  aheadMs = 0;
  /** Says what becomes of a request: it is done and its answer lost, or refused with a status, or done (undefined). */
  fault: (request: string) => "lose the answer" | number | undefined = () => undefined;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #changed = new Set<() => void>();
  #etags = 0;

  constructor() {
    this.#server = Deno.serve(
      { port: 0, hostname: "127.0.0.1", onListen() {} },
      (request) => this.#answer(request),
    );
    const client = new S3.S3Client({
      endpoint: `http://127.0.0.1:${this.#server.addr.port}`,
      region: "us-east-1",
      forcePathStyle: true,
      credentials: { accessKeyId: "id", secretAccessKey: "secret" },
      requestChecksumCalculation: "WHEN_REQUIRED",
      responseChecksumValidation: "WHEN_REQUIRED",
      maxAttempts: 3,
    });
    this.sdk = { ...S3, client };
  }

  place(key: string): { Bucket: string; Key: string } {
    return { Bucket: BUCKET, Key: key };
  }

  owner(key: string): unknown {
    return JSON.parse(this.objects.get(key)!.text).owner;
  }

  /** Puts an object there as another client would. */
  put(key: string, text: string, ageMs = 0): void {
    this.objects.set(key, { text, etag: `"${++this.#etags}"`, modifiedMs: this.#now() - ageMs });
  }

  /** Resolves when `condition` holds after some request. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#changed.add(resolve));
  }

  async close(): Promise<void> {
    this.sdk.client.destroy();
    await this.#server.shutdown();
  }

  #now(): number {
    return Date.now() + this.aheadMs;
  }

  async #answer(request: Request): Promise<Response> {
    const url = new URL(request.url);
    const key = decodeURIComponent(url.pathname.slice(`/${BUCKET}/`.length));
    const name = `${request.method} ${key}`;
    const text = await request.text();
    this.requests.push(name);
    const fault = this.fault(name);
    const { status, body = "", headers = {} } = typeof fault === "number"
      ? { status: fault }
      : this.#do(request, key, text, url);
    for (const wake of this.#changed) wake();
    this.#changed.clear();
    const date = new Date(this.#now()).toUTCString();
    // A client that is told to try again has not learnt what became of its request.
    if (fault === "lose the answer") return new Response("", { status: 503, headers: { date } });
    const noBody = request.method === "HEAD" || status === 204;
    return new Response(noBody ? null : body, { status, headers: { date, ...headers } });
  }

  #do(
    request: Request,
    key: string,
    text: string,
    url: URL,
  ): { status: number; body?: string; headers?: Record<string, string> } {
    if (key === "") return { status: 200, body: this.#list(url.searchParams.get("prefix")!) };
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
    const modified = new Date(found.modifiedMs).toUTCString();
    return { status: 200, body: found.text, headers: { etag: found.etag, "last-modified": modified } };
  }

  #list(prefix: string): string {
    const contents = [...this.objects].filter(([key]) => key.startsWith(prefix)).map(([key, object]) =>
      `<Contents><Key>${key}</Key><LastModified>${
        new Date(object.modifiedMs).toISOString()
      }</LastModified></Contents>`
    );
    return `<?xml version="1.0"?><ListBucketResult>${contents.join("")}</ListBucketResult>`;
  }
}
