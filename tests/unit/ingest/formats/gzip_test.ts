import { assert, assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { randomBytes } from "node:crypto";
import { gzipSync } from "node:zlib";
import { SalesflowError } from "../../../../lib/console/errors.ts";
import {
  CompressionLimit,
  MAX_COMPRESSION_RATIO,
  UNCHECKED_OUTPUT_BYTES,
} from "../../../../lib/ingest/formats/compression_limit.ts";
import { gunzip } from "../../../../lib/ingest/formats/gzip.ts";
import { joinBytes } from "../../store/harness.ts";

async function* inChunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function read(bytes: Uint8Array, size = 1 << 16, limit?: CompressionLimit): Promise<string> {
  return new TextDecoder().decode(
    joinBytes(await Array.fromAsync(gunzip(inChunks(bytes, size), "a.gz", limit))),
  );
}

const zeros = (count: number) => new Uint8Array(count);
const lines = Array.from({ length: 20_000 }, (_, index) => `${index},${index * 7919 % 10_007}\n`).join("");

describe("gunzip()", () => {
  it("reads members with and without zero bytes between and behind them, in chunks of any size", async () => {
    const members = [
      gzipSync("a,b\n"),
      zeros(100),
      gzipSync("1,2\n"),
      gzipSync(""),
      gzipSync("3,4\n"),
      zeros(3),
    ];
    const bytes = joinBytes(members);
    for (const size of [1, 2, 3, 7, 28, 29, 64, bytes.length]) {
      assertEquals(await read(bytes, size), "a,b\n1,2\n3,4\n", `in chunks of ${size}`);
    }
  });

  it("reads a member behind many zeros", async () => {
    const sample = joinBytes([gzipSync("a\n".repeat(100)), zeros(70_000), gzipSync("b\n".repeat(100))]);
    assertEquals(await read(sample), "a\n".repeat(100) + "b\n".repeat(100));
  });

  it("reads many members and long ones", async () => {
    const piece = gzipSync(lines);
    assertEquals(await read(joinBytes([piece, zeros(512), piece, piece]), 1000), lines.repeat(3));
    assertEquals((await read(joinBytes(Array(500).fill(gzipSync("x"))), 4096)).length, 500);
  });

  it("closes its source when the reader stops early", async () => {
    let isClosed = false;
    const source = (async function* () {
      try {
        while (true) yield gzipSync(lines);
      } finally {
        isClosed = true;
      }
    })();
    for await (const _ of gunzip(source, "a.gz")) break;
    assert(isClosed);
  });

  it("passes on the errors of its source", async () => {
    const source = (async function* () {
      yield gzipSync(lines).subarray(0, 1000);
      await Promise.reject(new SalesflowError("The share is gone"));
    })();
    await assertRejects(() => Array.fromAsync(gunzip(source, "a.gz")), SalesflowError, "The share is gone");
  });

  const member = gzipSync(lines);
  const damages: [what: string, bytes: Uint8Array][] = [
    ["is cut in the middle", member.subarray(0, member.length / 2)],
    ["lacks its last bytes", member.subarray(0, -4)],
    ["has a wrong checksum", Uint8Array.from(member).with(member.length - 6, member.at(-6)! ^ 1)],
    ["has a byte changed", Uint8Array.from(member).with(2_000, member[2_000]! ^ 0xff)],
    ["holds only the magic number", Uint8Array.of(0x1f, 0x8b)],
    ["has other bytes behind it", joinBytes([member, "garbage"])],
    ["has other bytes behind zeros", joinBytes([member, zeros(9), "garbage"])],
    ["has half a member behind zeros", joinBytes([member, zeros(9), member.subarray(0, 5_000)])],
    ["has one byte of a member behind it", joinBytes([member, member.subarray(0, 1)])],
  ];
  for (const [what, bytes] of damages) {
    it(`fails when the file ${what}`, async () => {
      for (const size of [1000, 1 << 16]) {
        const error = await assertRejects(() => read(bytes, size), SalesflowError, "a.gz is damaged");
        assertEquals([error.exitCode, error.stage, error.remedy], [
          2,
          "ingest",
          "Copy or export the file again.",
        ]);
      }
    });
  }

  it("fails wherever the file is cut, and never hangs", async () => {
    const bytes = gzipSync(randomBytes(300));
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 100 }), async (cut, size) => {
        if (cut > 0) {
          await assertRejects(() => read(bytes.subarray(0, cut), size), SalesflowError, "is damaged");
        }
      }),
    );
  });

  it("refuses a bomb, but no small file of one repeated row", async () => {
    const bomb = gzipSync(new Uint8Array(64 * UNCHECKED_OUTPUT_BYTES));
    const error = await assertRejects(
      () => read(bomb),
      SalesflowError,
      `more than ${MAX_COMPRESSION_RATIO} times`,
    );
    assertEquals(error.exitCode, 2);
    const members = joinBytes(Array(64).fill(gzipSync(new Uint8Array(UNCHECKED_OUTPUT_BYTES))));
    await assertRejects(() => read(members), SalesflowError, "times its size");
    assertEquals((await read(gzipSync("1,2\n".repeat(200_000)))).length, 800_000);
  });

  it("counts its output for the archive that it lies in", async () => {
    const limit = new CompressionLimit("outer.zip");
    const inner = gzipSync(new Uint8Array(UNCHECKED_OUTPUT_BYTES - 10));
    await read(inner, 100, limit);
    await assertRejects(() => read(inner, 100, limit), SalesflowError, "outer.zip decompresses");
  });
});
