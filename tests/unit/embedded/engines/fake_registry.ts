/** A registry for tests: serves one tarball on a free local port and simulates the failures of real registries. */
import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import type { EnginePackage } from "../../../../lib/embedded/engines/packages.ts";
import type { RegistryRequest } from "../../../../lib/embedded/engines/registry.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** How the registry responds to the next requests. */
export interface Behavior {
  /** HTTP status of an error. */
  status?: number;
  /** Number of bytes after which the connection is closed. */
  cut?: number;
  ignoreRange?: boolean;
}

/** A running registry. */
export class FakeRegistry {
  behavior: Behavior = {};
  /** Range header of each request, or "". */
  readonly ranges: string[] = [];
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  constructor(readonly tarball: Bytes) {
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      (request) => this.#respond(request),
    );
  }

  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}/`;
  }

  get request(): RegistryRequest {
    return { url: new URL("engine.tgz", this.url), headers: {} };
  }

  get pinned(): EnginePackage {
    const digest = createHash("sha512").update(this.tarball).digest("base64");
    return { name: "@scope/engine", version: "1.0.0", integrity: `sha512-${digest}` };
  }

  #respond(request: Request): Response {
    const range = request.headers.get("range") ?? "";
    this.ranges.push(range);
    const { status, cut, ignoreRange } = this.behavior;
    if (status) return new Response("no", { status });
    const from = ignoreRange ? 0 : Number(/^bytes=(\d+)-$/.exec(range)?.[1] ?? 0);
    if (from > 0 && from >= this.tarball.length) return new Response(null, { status: 416 });
    const rest = this.tarball.subarray(from);
    const headers = { "content-length": String(rest.length) };
    if (cut === undefined) return new Response(rest, { status: from > 0 ? 206 : 200, headers });
    const body = new ReadableStream<Bytes>({
      start(controller) {
        controller.enqueue(rest.subarray(0, cut));
        controller.close(); // too early: the server closes the connection
      },
    });
    return new Response(body, { status: from > 0 ? 206 : 200, headers });
  }

  async close(): Promise<void> {
    await this.#server.shutdown();
  }
}

const BLOCK = 512;

/** Returns a tarball of small files in npm's layout: everything in `package/`. */
export function tarballOf(files: Record<string, string>): Bytes {
  const encoder = new TextEncoder();
  const blocks: Uint8Array[] = [];
  for (const [path, content] of Object.entries(files)) {
    const data = encoder.encode(content);
    const header = new Uint8Array(BLOCK);
    const put = (text: string, at: number) => header.set(encoder.encode(text), at);
    const octal = (value: number, digits: number) => value.toString(8).padStart(digits, "0") + "\0";
    put(`package/${path}`, 0);
    put(octal(0o755, 7), 100);
    put(octal(data.length, 11), 124);
    put(octal(0, 11), 136);
    put("        ", 148); // the checksum is computed with blanks in its place
    put("0", 156);
    put("ustar\0" + "00", 257);
    put(octal(header.reduce((sum, byte) => sum + byte, 0), 6) + " ", 148);
    const padded = new Uint8Array(Math.ceil(data.length / BLOCK) * BLOCK);
    padded.set(data);
    blocks.push(header, padded);
  }
  blocks.push(new Uint8Array(2 * BLOCK));
  return new Uint8Array(gzipSync(concat(blocks)));
}

function concat(parts: Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
