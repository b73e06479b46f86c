import { assert, assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { SalesflowError } from "../../../../lib/console/errors.ts";
import {
  CHUNK_BYTES,
  cutLines,
  findEncoding,
  hasLoneReturns,
  needsTranscoding,
  replaceReturns,
  skip,
  transcode,
} from "../../../../lib/ingest/chunks/cut_lines.ts";
import { joinBytes, toBytes } from "../../store/harness.ts";

async function* stream(content: string | Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  const bytes = toBytes(content);
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function readText(bytes: AsyncIterable<Uint8Array>): Promise<string> {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(joinBytes(await Array.fromAsync(bytes)));
}

describe("cutLines()", () => {
  const lines = Array.from({ length: 200_000 }, (_, index) => `${index},Север\r\n`).join("");

  for (const size of [1_000, 65_536, 10 << 20]) {
    for (const [what, end] of [["", ""], [" without a line end at the end", "last"]] as const) {
      it(`cuts a text${what} that comes in pieces of ${size} bytes at line ends`, async () => {
        const chunks = await Array.fromAsync(cutLines(stream(lines + end, size), "a.csv"));
        assert(chunks.length > 1 || size > CHUNK_BYTES);
        assertEquals(new TextDecoder().decode(joinBytes(chunks)), lines + end);
        for (const chunk of chunks.slice(0, -1)) assertEquals(chunk.at(-1), 10);
        const buffers = new Set(chunks.map(({ buffer }) => buffer));
        assertEquals(buffers.size, chunks.length, "chunks share a buffer");
        for (const { buffer, length } of chunks) assertEquals(buffer.byteLength, length);
      });
    }
  }

  it("keeps a line that is longer than a chunk together", async () => {
    const long = "x".repeat(3 * CHUNK_BYTES);
    const chunks = await Array.fromAsync(cutLines(stream(`a\n${long}\nb`, 100_000), "a.csv"));
    const texts = chunks.map((chunk) => new TextDecoder().decode(chunk));
    assertEquals(texts.map((text) => text.length), ["a\n".length, long.length + 1, "b".length]);
  });

  it("yields nothing for nothing", async () => {
    assertEquals(await Array.fromAsync(cutLines(stream("", 1), "a.csv")), []);
  });

  it("refuses a stream without line ends before it has read all of it", async () => {
    let read = 0;
    const endless = (async function* () {
      for (;; read++) yield new Uint8Array(1 << 20);
    })();
    const error = await assertRejects(
      () => Array.fromAsync(cutLines(endless, "a.bin")),
      SalesflowError,
      "a.bin has no line end in 16 MiB",
    );
    assertEquals([error.exitCode, error.stage], [2, "ingest"]);
    assert(read < 20);
  });
});

describe("findEncoding()", () => {
  const cases: [bytes: number[], given: string | undefined, encoding: string][] = [
    [[0xff, 0xfe, 0x61, 0], "windows-1251", "utf-16le"],
    [[0xfe, 0xff, 0, 0x61], undefined, "utf-16be"],
    [[0xef, 0xbb, 0xbf, 0x61], "windows-1251", "utf-8"],
    [[0x61], "cp1251", "windows-1251"],
    [[0x61, 0], "utf-16", "utf-16le"],
    [[], undefined, "utf-8"],
  ];
  for (const [bytes, given, encoding] of cases) {
    it(`returns ${encoding} for the bytes ${bytes} and the setting ${given}`, () => {
      assertEquals(findEncoding(Uint8Array.from(bytes), given), encoding);
    });
  }
});

describe("needsTranscoding()", () => {
  it("is true where a line feed is not a byte of its own", () => {
    const encodings = [
      "utf-16le",
      "utf-16be",
      "iso-2022-jp",
      "utf-8",
      "windows-1251",
      "shift_jis",
      "gb18030",
    ];
    assertEquals(encodings.filter(needsTranscoding), ["utf-16le", "utf-16be", "iso-2022-jp"]);
  });
});

describe("transcode()", () => {
  for (const size of [1, 3, 1_000]) {
    it(`converts UTF-16 in pieces of ${size} bytes to UTF-8, with its byte order mark`, async () => {
      const text = "\ufeffa;Юг;🙂\r\n";
      const bytes = new Uint8Array(Uint16Array.from(text.split(""), (unit) => unit.charCodeAt(0)).buffer);
      assertEquals(await readText(transcode(stream(bytes, size), "utf-16le")), text);
    });
  }

  it("shows that the last character is incomplete", async () => {
    assertEquals(await readText(transcode(stream(Uint8Array.of(0x61, 0, 0x62), 2), "utf-16le")), "a\ufffd");
  });
});

describe("hasLoneReturns()", () => {
  it("is true when there are carriage returns and no line feeds", () => {
    assertEquals(["a\rb", "a\r\nb", "a\nb\r", "a"].map((text) => hasLoneReturns(toBytes(text))), [
      true,
      false,
      false,
      false,
    ]);
  });
});

describe("replaceReturns()", () => {
  it("makes line feeds of carriage returns", async () => {
    assertEquals(await readText(replaceReturns(stream("a,Юг\rb\r", 3))), "a,Юг\nb\n");
  });
});

describe("skip()", () => {
  for (const count of [0, 1, 4, 5, 9, 10, 99]) {
    it(`leaves out the first ${count} bytes`, async () => {
      assertEquals(await readText(skip(stream("0123456789", 4), count)), "0123456789".slice(count));
    });
  }
});
