import { assertEquals, assertRejects } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { SalesflowError } from "../../../../lib/console/errors.ts";
import { UNCHECKED_OUTPUT_BYTES } from "../../../../lib/ingest/formats/compression_limit.ts";
import { ZipArchive } from "../../../../lib/ingest/formats/zip_archive.ts";
import { joinBytes } from "../../store/harness.ts";
import { zip } from "./zip_writer.ts";

let folder: string;
beforeAll(async () => {
  folder = await Deno.makeTempDir();
});
afterAll(() => Deno.remove(folder, { recursive: true }));

async function open(bytes: Uint8Array): Promise<ZipArchive> {
  const path = `${folder}/${crypto.randomUUID()}.zip`;
  await Deno.writeFile(path, bytes);
  return await ZipArchive.open(path, "a.zip");
}

/** Returns all files of an archive as `path: content`. */
async function read(bytes: Uint8Array): Promise<string[]> {
  using archive = await open(bytes);
  const files: string[] = [];
  for (const entry of archive.entries) {
    const content = joinBytes(await Array.fromAsync(archive.read(entry)));
    files.push(`${entry.path}: ${new TextDecoder().decode(content)}`);
  }
  return files;
}

/** "Продажи.csv" in cp866, as zip programs on Russian Windows write it. */
const SALES_866 = Uint8Array.of(0x8f, 0xe0, 0xae, 0xa4, 0xa0, 0xa6, 0xa8, 0x2e, 0x63, 0x73, 0x76);

describe("ZipArchive", () => {
  it("reads files by path, without folders and what operating systems add", async () => {
    assertEquals(
      await read(zip([
        { path: "b.csv", content: "2" },
        { path: "folder/", content: "" },
        { path: "__MACOSX/._b.csv", content: "junk" },
        { path: "folder/.DS_Store", content: "junk" },
        { path: "a.csv", content: "1", method: 0 },
        { path: "folder\\c.csv", content: "" },
      ])),
      ["a.csv: 1", "b.csv: 2", "folder/c.csv: "],
    );
    assertEquals(await read(zip([])), []);
  });

  it("reads names in UTF-8, with and without its flag, and in cp866", async () => {
    assertEquals(
      await read(zip([
        { path: "Север.csv", content: "1" },
        { path: "Юг.csv", content: "2", flags: 0x800 },
        { path: SALES_866, content: "3" },
      ])),
      ["Продажи.csv: 3", "Север.csv: 1", "Юг.csv: 2"],
    );
  });

  it("finds a file whatever its case", async () => {
    using archive = await open(zip([{ path: "[Content_types].xml", content: "" }]));
    assertEquals([archive.find("[Content_Types].xml")?.path, archive.find("x")], [
      "[Content_types].xml",
      undefined,
    ]);
  });

  const content = Array.from({ length: 10_000 }, (_, index) => `${index}\n`).join("");
  const whole = zip([{ path: "a.csv", content }]);
  const refusals: [what: string, bytes: Uint8Array, message: string, remedy: RegExp][] = [
    [
      "an encrypted file",
      zip([{ path: "a.csv", content, flags: 1 }]),
      "a.zip/a.csv is encrypted",
      /without a password/,
    ],
    [
      "strong encryption",
      zip([{ path: "a.csv", content, flags: 0x41 }]),
      "a.zip is encrypted",
      /without a password/,
    ],
    [
      "other compression",
      zip([{ path: "a.csv", content, method: 9 }]),
      "a.zip/a.csv is compressed with method 9",
      /deflate/,
    ],
    [
      "a wrong checksum",
      zip([{ path: "a.csv", content, checksum: 1 }]),
      "a.zip/a.csv is damaged",
      /Copy or export/,
    ],
    ["bytes that are no archive", new Uint8Array(100), "a.zip is damaged", /Copy or export/],
    ["an empty file", new Uint8Array(0), "a.zip is damaged", /Copy or export/],
    ["an incomplete archive", whole.subarray(0, -30), "a.zip is damaged", /Copy or export/],
    [
      "a changed byte",
      Uint8Array.from(whole).with(500, whole[500]! ^ 0xff),
      "a.zip/a.csv is damaged",
      /Copy or export/,
    ],
    [
      "one part of several",
      Uint8Array.from(whole).with(whole.length - 18, 1),
      "a.zip is one of several parts",
      /Join/,
    ],
    [
      "too many files",
      zip(Array(10_001).fill({ path: "a", content: "" })),
      "a.zip holds more than 10000 files",
      /Split/,
    ],
    [
      "a bomb",
      zip([{ path: "a.csv", content: new Uint8Array(2 * UNCHECKED_OUTPUT_BYTES) }]),
      "a.zip decompresses to more than 100 times its size",
      /decompress it yourself/,
    ],
    [
      "a bomb of many files",
      zip(Array.from({ length: 20 }, (_, index) => ({ path: `${index}`, content: new Uint8Array(100_000) }))),
      "a.zip decompresses to more than 100 times its size",
      /decompress it yourself/,
    ],
  ];
  for (const [what, bytes, message, remedy] of refusals) {
    it(`refuses ${what}`, async () => {
      const error = await assertRejects(() => read(bytes), SalesflowError, message);
      assertEquals(
        [error.exitCode, error.stage, remedy.test(error.remedy!)],
        [2, "ingest", true],
        error.remedy,
      );
    });
  }

  it("refuses entries that share their data", async () => {
    const bytes = zip([{ path: "a", content }, { path: "b", content }]);
    const directory = new DataView(bytes.buffer).getUint32(bytes.length - 6, true);
    const entryBytes = 46 + 1;
    // Only the first file is left, and both entries point to it.
    const first = bytes.subarray(0, directory / 2);
    const entries = Uint8Array.from(bytes.subarray(directory, directory + 2 * entryBytes));
    entries.set(entries.subarray(0, entryBytes), entryBytes);
    const end = Uint8Array.from(bytes.subarray(directory + 2 * entryBytes));
    new DataView(end.buffer).setUint32(16, first.length, true);
    await assertRejects(() => read(joinBytes([first, entries, end])), SalesflowError, "a.zip is damaged");
  });

  it("fails with a message wherever the archive is cut or changed", async () => {
    const small = zip([{ path: "a.csv", content: "1,2\n".repeat(50) }, {
      path: "b.csv",
      content: "x",
      method: 0,
    }]);
    await fc.assert(fc.asyncProperty(fc.nat(small.length - 1), fc.nat(255), async (at, value) => {
      await assertRejects(() => read(small.subarray(0, at)), SalesflowError, "a.zip");
      try {
        await read(Uint8Array.from(small).with(at, value));
      } catch (error) {
        if (!(error instanceof SalesflowError)) throw error;
      }
    }));
  });
});
