import { assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { cStrings, keepAlive, readCString } from "../../../../lib/embedded/clickhouse/library.ts";

describe("cStrings()", () => {
  it("returns pointers to NUL-terminated strings and their lengths in bytes", () => {
    const texts = ["", "SELECT 1", "Север 😀"];
    const { pointers, lengths, buffers } = cStrings(texts);
    const addresses = [...new BigUint64Array(pointers.buffer)];
    assertEquals(addresses.map((address) => readCString(Deno.UnsafePointer.create(address))), texts);
    assertEquals([...new BigUint64Array(lengths.buffer)], [0n, 8n, 15n]);
    assertEquals(buffers.map((buffer) => buffer.at(-1)), [0, 0, 0]);
  });
});

describe("readCString()", () => {
  it("returns undefined for a null pointer", () => assertEquals(readCString(null), undefined));
});

describe("keepAlive()", () => {
  it("settles as the call does", async () => {
    assertEquals(await keepAlive(Promise.resolve(7), {}), 7);
    await assertRejects(() => keepAlive(Promise.reject(new Error("no")), {}), Error, "no");
  });
});
