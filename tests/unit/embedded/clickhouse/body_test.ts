import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import {
  acceptsGzip,
  concatBody,
  decodeBody,
  emptyBody,
  prepend,
} from "../../../../lib/embedded/clickhouse/body.ts";
import { EngineError } from "../../../../lib/embedded/clickhouse/engine.ts";

const TEXT = "hello";
const NO_BYTES = new Uint8Array();
const URL_OF_ENDPOINT = "http://127.0.0.1/";
const bytesOf = (text: string) => new TextEncoder().encode(text);

function post(body: BodyInit, encoding: string): Request {
  return new Request(URL_OF_ENDPOINT, { method: "POST", body, headers: { "Content-Encoding": encoding } });
}

async function readText(body: AsyncIterable<Uint8Array<ArrayBuffer>>): Promise<string> {
  return new TextDecoder().decode(await concatBody(NO_BYTES, body));
}

describe("decodeBody()", () => {
  /** An LZ4 frame of TEXT compressed with python-lz4 4.4.5. */
  const lz4 = Uint8Array.fromHex("04224d1868400500000000000000610500008068656c6c6f00000000");
  const encodings: [name: string, body: Uint8Array][] = [
    ["gzip", gzipSync(TEXT)],
    ["deflate", deflateSync(TEXT)],
    ["br", brotliCompressSync(TEXT)],
    ["lz4", lz4],
    ["zstd", zstdCompressSync(TEXT)],
    ["identity", bytesOf(TEXT)],
    [" GZIP ", gzipSync(TEXT)],
  ];
  for (const [name, body] of encodings) {
    it(`decompresses the body when its encoding is ${JSON.stringify(name)}`, async () => {
      assertEquals(await readText(decodeBody(post(new Uint8Array(body), name))), TEXT);
    });
  }

  it("returns no bytes when there is no body", async () => {
    assertEquals(await readText(decodeBody(new Request(URL_OF_ENDPOINT))), "");
  });

  it("throws BAD_ARGUMENTS when the encoding is unknown", () => {
    assertThrows(() => decodeBody(post("x", "snappy")), EngineError, "Code: 36.");
  });

  it("throws CANNOT_DECOMPRESS when the body is not in its encoding", async () => {
    for (const encoding of ["lz4", "zstd"]) {
      await assertRejects(() => readText(decodeBody(post("x", encoding))), EngineError, "Code: 271.");
    }
  });
});

describe("concatBody()", () => {
  it("returns the first bytes and those of the body", async () => {
    const body = prepend(bytesOf("b"), prepend(bytesOf("c"), emptyBody()));
    assertEquals(await concatBody(bytesOf("a"), body), bytesOf("abc"));
    assertEquals(await concatBody(bytesOf("a"), emptyBody()), bytesOf("a"));
  });
});

describe("prepend()", () => {
  it("yields the first bytes, unless there are none, and then the rest", async () => {
    assertEquals(await Array.fromAsync(prepend(bytesOf("a"), prepend(bytesOf("b"), emptyBody()))), [
      bytesOf("a"),
      bytesOf("b"),
    ]);
    assertEquals(await Array.fromAsync(prepend(NO_BYTES, emptyBody())), []);
  });
});

describe("acceptsGzip()", () => {
  const cases: [query: Record<string, string>, accepted: string, expected: boolean][] = [
    [{ enable_http_compression: "1" }, "gzip", true],
    [{ enable_http_compression: "1" }, "br, gzip;q=0.8", true],
    [{ enable_http_compression: "1" }, "br", false],
    [{ enable_http_compression: "0" }, "gzip", false],
    [{}, "gzip", false],
  ];
  for (const [query, accepted, expected] of cases) {
    it(`returns ${expected} when the query is ${JSON.stringify(query)} and ${accepted} is accepted`, () => {
      const request = new Request(URL_OF_ENDPOINT, { headers: { "Accept-Encoding": accepted } });
      assertEquals(
        acceptsGzip(request, new URL(`?${new URLSearchParams(query)}`, URL_OF_ENDPOINT)),
        expected,
      );
    });
  }
});
