import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { gzipSync } from "node:zlib";
import { SalesflowError } from "../../../../lib/console/errors.ts";
import { UNCHECKED_OUTPUT_BYTES } from "../../../../lib/ingest/formats/compression_limit.ts";
import { type ExportFile, type FileKind, unpack } from "../../../../lib/ingest/formats/unpack.ts";
import { findInputs } from "../../../../lib/ingest/inputs.ts";
import { joinBytes, toBytes } from "../../store/harness.ts";
import { zip } from "./zip_writer.ts";

let folder: string;
let tempFolder: string;
beforeAll(async () => {
  folder = await Deno.makeTempDir();
  tempFolder = `${folder}/temp`;
  await Deno.mkdir(tempFolder);
});
afterAll(() => Deno.remove(folder, { recursive: true }));

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

async function onDisk(content: string | Uint8Array): Promise<ExportFile> {
  const path = `${folder}/${crypto.randomUUID()}`;
  await Deno.writeFile(path, toBytes(content));
  return await fileAt(path);
}

async function fileAt(path: string): Promise<ExportFile> {
  const [input] = await findInputs([path], folder, "given");
  const { bytes, localPath } = await input!.open();
  return { name: "export", bytes, ...(localPath === undefined ? {} : { path: localPath }) };
}

function inBucket(content: string | Uint8Array): ExportFile {
  return { name: "export", bytes: once(toBytes(content)) };
}

/** Returns all files as `name kind: content`. */
async function read(file: ExportFile, kind?: FileKind): Promise<string[]> {
  const files: string[] = [];
  for await (const unpacked of unpack(file, { tempFolder, ...(kind ? { kind } : {}) })) {
    const bytes = "path" in unpacked
      ? await Deno.readFile(unpacked.path)
      : joinBytes(await Array.fromAsync(unpacked.bytes));
    files.push(`${unpacked.name} ${unpacked.kind}: ${new TextDecoder().decode(bytes)}`);
  }
  assertEquals(await Array.fromAsync(Deno.readDir(tempFolder)), [], "temporary files are left");
  return files;
}

const workbook = zip([
  { path: "[Content_Types].xml", content: "" },
  { path: "xl/workbook.xml", content: "" },
]);
const workbookText = new TextDecoder().decode(workbook);

describe("unpack()", () => {
  const cases: [what: string, content: string | Uint8Array, files: string[]][] = [
    ["CSV", "a,b\n1,2\n", ["export csv: a,b\n1,2\n"]],
    ["nothing", "", ["export csv: "]],
    ["JSON lines", '{"a":1}\n', ['export jsonl: {"a":1}\n']],
    ["Parquet", "PAR1…", ["export parquet: PAR1…"]],
    ["a workbook", workbook, [`export xlsx: ${workbookText}`]],
    ["gzip", gzipSync("a,b\n"), ["export csv: a,b\n"]],
    ["gzip with a member behind zeros", joinBytes([gzipSync("a\n"), new Uint8Array(9), gzipSync("b\n")]), [
      "export csv: a\nb\n",
    ]],
    ["Parquet in gzip", gzipSync("PAR1…"), ["export parquet: PAR1…"]],
    ["a workbook in gzip", gzipSync(workbook), [`export xlsx: ${workbookText}`]],
    [
      "a zip of files of all kinds, by path",
      zip([
        { path: "d.xlsx", content: workbook },
        { path: "c.csv.gz", content: gzipSync("c\n") },
        { path: "b/e.jsonl", content: '{"a":1}' },
        { path: "f.parquet", content: "PAR1…", method: 0 },
        { path: "a.csv", content: "a\n" },
        { path: "__MACOSX/._a.csv", content: "\0".repeat(100) },
      ]),
      [
        "export/a.csv csv: a\n",
        'export/b/e.jsonl jsonl: {"a":1}',
        "export/c.csv.gz csv: c\n",
        `export/d.xlsx xlsx: ${workbookText}`,
        "export/f.parquet parquet: PAR1…",
      ],
    ],
  ];
  for (const [what, content, files] of cases) {
    it(`unpacks ${what} from disk and from a stream`, async () => {
      assertEquals(await read(await onDisk(content)), files);
      assertEquals(await read(inBucket(content)), files);
    });
  }

  it("uses the file itself where it lies on disk", async () => {
    const file = await onDisk(workbook);
    for await (const unpacked of unpack(file, { tempFolder })) {
      assert("path" in unpacked && unpacked.path === file.path);
    }
  });

  it("reads a pipe, which can be read only once", async () => {
    for (const content of [toBytes("a,b\n"), gzipSync("a,b\n"), zip([{ path: "x", content: "a,b\n" }])]) {
      const path = `${folder}/${crypto.randomUUID()}`;
      assertEquals((await new Deno.Command("mkfifo", { args: [path] }).output()).code, 0);
      const writing = Deno.writeFile(path, content);
      const [file] = await read(await fileAt(path));
      await writing;
      assertStringIncludes(file!, " csv: a,b\n");
    }
  });

  it("skips a file that the reader does not read", async () => {
    const names: string[] = [];
    const archive = zip([{ path: "a", content: "1" }, { path: "b", content: "2" }]);
    for await (const { name } of unpack(inBucket(archive), { tempFolder })) names.push(name);
    assertEquals(names, ["export/a", "export/b"]);
  });

  it("removes its files and closes its source when the reader stops early", async () => {
    let isClosed = false;
    const bytes = (async function* () {
      try {
        yield* once(zip([{ path: "a.xlsx", content: workbook }, { path: "b", content: "2" }]));
      } finally {
        isClosed = true;
      }
    })();
    for await (const _ of unpack({ name: "export", bytes }, { tempFolder })) break;
    assertEquals([isClosed, await Array.fromAsync(Deno.readDir(tempFolder))], [true, []]);
  });

  it("takes the user's word for whether a text is CSV or JSON lines, and for nothing else", async () => {
    assertEquals(await read(inBucket('{"a"\n1\n'), "csv"), ['export csv: {"a"\n1\n']);
    assertEquals(await read(inBucket("oops\n"), "jsonl"), ["export jsonl: oops\n"]);
    assertEquals(await read(inBucket(workbook), "xlsx"), [`export xlsx: ${workbookText}`]);
    const wrong: [string | Uint8Array, FileKind, string][] = [
      [workbook, "csv", "export is an .xlsx workbook, not CSV"],
      ["PAR1", "xlsx", "export is Parquet, not an .xlsx workbook"],
      ["a,b\n", "parquet", "export is text, not Parquet"],
      ['{"a":1}', "xlsx", "export is JSON lines, not an .xlsx workbook"],
    ];
    for (const [content, kind, message] of wrong) {
      const error = await assertRejects(() => read(inBucket(content), kind), SalesflowError, message);
      assertStringIncludes(error.remedy!, "format: type:");
    }
  });

  const archive = zip([{ path: "a.csv", content: "1" }]);
  const refusals: [what: string, content: string | Uint8Array, message: string, remedy: string][] = [
    ["a PDF document", "%PDF-1.7", "export is a PDF document", "as CSV"],
    ["a web page", "<html>", "export is a web page", "as .xlsx or CSV"],
    [
      "a document in a zip",
      zip([{ path: "a.pdf", content: "%PDF-1.7" }]),
      "export/a.pdf is a PDF document",
      "as CSV",
    ],
    [
      "a zip in a zip",
      zip([{ path: "a.zip", content: archive }]),
      "export/a.zip is an archive within an archive",
      "Unpack",
    ],
    ["a zip in gzip", gzipSync(archive), "export is an archive within an archive", "Unpack"],
    ["gzip in gzip", gzipSync(gzipSync("a")), "export is compressed with gzip twice", "Unpack"],
    [
      "gzip in gzip in a zip",
      zip([{ path: "a.gz", content: gzipSync(gzipSync("a")) }]),
      "export/a.gz is compressed with gzip twice",
      "Unpack",
    ],
    [
      "an empty zip",
      zip([{ path: "folder/", content: "" }]),
      "export holds no files",
      "Export the sales again",
    ],
    ["tar in gzip", gzipSync("a".padEnd(257, "\0") + "ustar"), "export is a tar archive", "gzip or zip"],
    [
      "a text document",
      zip([{ path: "[Content_Types].xml", content: "" }, { path: "word/document.xml", content: "" }]),
      "export is an Office file, but no workbook",
      "CSV or .xlsx",
    ],
    [
      "a binary workbook",
      zip([{ path: "[Content_Types].xml", content: "" }, { path: "xl/workbook.bin", content: "" }]),
      "export is a binary workbook (.xlsb)",
      "as .xlsx or CSV",
    ],
    [
      "an OpenDocument file",
      zip([{ path: "META-INF/manifest.xml", content: "" }, { path: "content.xml", content: "" }]),
      "export is an OpenDocument file",
      "as .xlsx or CSV",
    ],
    [
      "a bomb in gzip in a zip",
      zip([{ path: "a.gz", content: gzipSync(gzipSync(new Uint8Array(3 * UNCHECKED_OUTPUT_BYTES))) }]),
      "export/a.gz is compressed with gzip twice",
      "Unpack",
    ],
    [
      "a bomb that a zip and gzip share",
      zip([{ path: "a.gz", content: joinBytes(Array(99).fill(gzipSync(new Uint8Array(99_000)))) }]),
      "export decompresses to more than 100 times its size",
      "yourself",
    ],
  ];
  for (const [what, content, message, remedy] of refusals) {
    it(`refuses ${what}`, async () => {
      for (const file of [inBucket(content), await onDisk(content)]) {
        const error = await assertRejects(() => read(file), SalesflowError, message);
        assertEquals([error.exitCode, error.stage], [2, "ingest"]);
        assertStringIncludes(error.remedy!, remedy);
      }
      assertEquals(await Array.fromAsync(Deno.readDir(tempFolder)), []);
    });
  }

  it("fails when there is no room for a temporary copy", async () => {
    const error = await assertRejects(
      () => Array.fromAsync(unpack(inBucket(workbook), { tempFolder: `${folder}/none` })),
      SalesflowError,
      "Cannot unpack export",
    );
    assertStringIncludes(error.remedy!, "Free disk space");
  });
});
