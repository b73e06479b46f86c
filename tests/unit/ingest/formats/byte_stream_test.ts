import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { ByteStream, readFile } from "../../../../lib/ingest/formats/byte_stream.ts";
import { joinBytes, toBytes } from "../../store/harness.ts";

async function* chunksOf(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield toBytes(text);
}

async function textOf(bytes: AsyncIterable<Uint8Array>): Promise<string> {
  return new TextDecoder().decode(joinBytes(await Array.fromAsync(bytes)));
}

describe("ByteStream", () => {
  it("lets the first bytes be looked at, and yields them all the same", async () => {
    const stream = new ByteStream(chunksOf("ab", "", "cd", "ef"));
    assertEquals(new TextDecoder().decode(await stream.peek(3)), "abc");
    assertEquals(new TextDecoder().decode(await stream.peek(1)), "a");
    assertEquals(await textOf(stream), "abcdef");
  });

  it("looks at what there is when there is less", async () => {
    assertEquals((await new ByteStream(chunksOf("ab")).peek(10)).length, 2);
    assertEquals((await new ByteStream(chunksOf()).peek(10)).length, 0);
  });

  it("takes what was given back, latest first", async () => {
    const stream = new ByteStream(chunksOf("ab", "cd"));
    await stream.take();
    stream.giveBack(toBytes("b"));
    stream.giveBack(toBytes(""));
    stream.giveBack(toBytes("x"));
    assertEquals(await textOf(stream), "xbcd");
    assertEquals(await stream.take(), undefined);
  });

  it("closes its source when the reader stops early", async () => {
    let isClosed = false;
    const stream = new ByteStream((async function* () {
      try {
        yield* chunksOf("ab", "cd");
      } finally {
        isClosed = true;
      }
    })());
    for await (const _ of stream) break;
    assert(isClosed);
  });
});

describe("readFile()", () => {
  it("reads from the current position to the end", async () => {
    const path = await Deno.makeTempFile();
    try {
      const text = "0123456789".repeat(100_000);
      await Deno.writeTextFile(path, text);
      using file = await Deno.open(path);
      await file.seek(5, Deno.SeekMode.Start);
      assert(await textOf(readFile(file)) === text.slice(5));
    } finally {
      await Deno.remove(path);
    }
  });
});
