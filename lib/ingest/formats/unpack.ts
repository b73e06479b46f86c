/** Unpacks exports: gzip and zip become the files in them, each with what it is. */
import { messageChain, NO_SPACE, SalesflowError } from "../../console/errors.ts";
import { ByteStream } from "./byte_stream.ts";
import type { CompressionLimit } from "./compression_limit.ts";
import { fileError } from "./file_error.ts";
import { gunzip } from "./gzip.ts";
import { HEAD_BYTES, recognize } from "./recognize.ts";
import { ZipArchive } from "./zip_archive.ts";

/** An export as it is given: its bytes, to be read once, and where they lie on disk, if they do. */
export interface ExportFile {
  /** Name for messages. */
  name: string;
  /** Its bytes; may come through a pipe or from a bucket. */
  bytes: AsyncIterable<Uint8Array>;
  /** Path of the same bytes, for what needs random access; without it, such a file is copied. */
  path?: string;
}

/** Kinds of files that can be read. */
export type FileKind = "csv" | "jsonl" | "xlsx" | "parquet";

/** A file that can be read. Text comes as bytes, which can be read once; what needs random access lies on disk. */
export type UnpackedFile =
  & {
    /** Name of the export, and behind a `/` the path in its archive. */
    name: string;
  }
  & ({ kind: "csv" | "jsonl"; bytes: AsyncIterable<Uint8Array> } | {
    kind: "xlsx" | "parquet";
    path: string;
  });

/** How to unpack. */
export interface UnpackOptions {
  /** What the files are, when it is known: no matter whether a text looks like CSV or JSON; anything else is an error. */
  kind?: FileKind;
  /** Existing folder for temporary files. */
  tempFolder: string;
}

/** What a file lies in. */
interface Surroundings extends UnpackOptions {
  inGzip?: boolean;
  /** Limit of the zip that the file lies in. */
  zipLimit?: CompressionLimit;
}

const KIND_NAMES: Readonly<Record<FileKind, string>> = {
  csv: "CSV",
  jsonl: "JSON lines",
  xlsx: "an .xlsx workbook",
  parquet: "Parquet",
};
const NESTED_REMEDY = "Unpack the outer archive yourself and ingest the files in it.";
const SAVE_REMEDY = "Save it as .xlsx or CSV.";

/**
 * Unpacks an export: yields the files in it by path, or the export itself. Each file can be read until the next one is asked for.
 *
 * @throws {SalesflowError} when a file cannot be decompressed or recognized, or is not of the kind that it should be
 */
export function unpack(file: ExportFile, options: UnpackOptions): AsyncGenerator<UnpackedFile> {
  return unpackCandidate(file, options);
}

async function* unpackCandidate(
  candidate: ExportFile,
  surroundings: Surroundings,
): AsyncGenerator<UnpackedFile> {
  const { name } = candidate;
  const bytes = new ByteStream(candidate.bytes);
  try {
    const recognized = recognize(await bytes.peek(HEAD_BYTES), name);
    switch (recognized.kind) {
      case "refused":
        throw fileError(`${name} is ${recognized.what}`, recognized.remedy);
      case "gzip":
        if (surroundings.inGzip) throw fileError(`${name} is compressed with gzip twice`, NESTED_REMEDY);
        yield* unpackCandidate(
          { name, bytes: gunzip(bytes, name, surroundings.zipLimit) },
          { ...surroundings, inGzip: true },
        );
        return;
      case "zip":
        yield* onDisk({ ...candidate, bytes }, surroundings, (path) => unpackZip(name, path, surroundings));
        return;
      case "parquet":
        checkKind(name, "parquet", surroundings);
        yield* onDisk({ ...candidate, bytes }, surroundings, async function* (path) {
          yield { name, kind: "parquet", path };
        });
        return;
      default: {
        const { kind = recognized.kind } = surroundings;
        if (kind === "xlsx" || kind === "parquet") checkKind(name, recognized.kind, surroundings);
        else yield { name, kind, bytes };
      }
    }
  } finally {
    await bytes.close();
  }
}

/** Calls a function with the path of a file on disk: its own, or that of a temporary copy. */
async function* onDisk(
  { name, path, bytes }: ExportFile,
  { tempFolder }: UnpackOptions,
  use: (path: string) => AsyncGenerator<UnpackedFile>,
): AsyncGenerator<UnpackedFile> {
  if (path !== undefined) {
    yield* use(path);
    return;
  }
  const copy = await makeCopy(bytes, name, tempFolder);
  try {
    yield* use(copy);
  } finally {
    await Deno.remove(copy);
  }
}

/** Writes bytes to a new file in a folder; returns its path. */
async function makeCopy(bytes: AsyncIterable<Uint8Array>, name: string, folder: string): Promise<string> {
  let path: string | undefined;
  try {
    path = await Deno.makeTempFile({ dir: folder, prefix: "export-" });
    using file = await Deno.open(path, { write: true });
    for await (const chunk of bytes) {
      for (let written = 0; written < chunk.length;) written += await file.write(chunk.subarray(written));
    }
    return path;
  } catch (error) {
    if (path !== undefined) await Deno.remove(path);
    if (error instanceof SalesflowError) throw error;
    throw new SalesflowError(`Cannot unpack ${name} into ${folder}`, {
      cause: error,
      exitCode: messageChain(error).some((message) => NO_SPACE.test(message)) ? 75 : 2,
      stage: "ingest",
      remedy: "Free disk space there, or unpack it yourself.",
    });
  }
}

async function* unpackZip(
  name: string,
  path: string,
  surroundings: Surroundings,
): AsyncGenerator<UnpackedFile> {
  using archive = await ZipArchive.open(path, name);
  if (archive.find("[Content_Types].xml")) {
    checkWorkbook(name, archive);
    checkKind(name, "xlsx", surroundings);
    yield { name, kind: "xlsx", path };
    return;
  }
  if (archive.find("META-INF/manifest.xml") && archive.find("content.xml")) {
    throw fileError(`${name} is an OpenDocument file`, SAVE_REMEDY);
  }
  if (surroundings.inGzip || surroundings.zipLimit) {
    throw fileError(`${name} is an archive within an archive`, NESTED_REMEDY);
  }
  if (archive.entries.length === 0) throw fileError(`${name} holds no files`, "Export the sales again.");
  for (const entry of archive.entries) {
    yield* unpackCandidate(
      { name: `${name}/${entry.path}`, bytes: archive.read(entry) },
      { ...surroundings, zipLimit: archive.limit },
    );
  }
}

/** Fails when an Office file is no workbook that can be read. */
function checkWorkbook(name: string, archive: ZipArchive): void {
  if (archive.find("xl/workbook.bin")) throw fileError(`${name} is a binary workbook (.xlsb)`, SAVE_REMEDY);
  if (!archive.entries.some(({ path }) => path.toLowerCase().startsWith("xl/"))) {
    throw fileError(`${name} is an Office file, but no workbook`, "Export the sales as CSV or .xlsx.");
  }
}

function checkKind(name: string, found: FileKind, { kind = found }: UnpackOptions): void {
  if (kind === found) return;
  const foundName = found === "csv" ? "text" : KIND_NAMES[found];
  throw fileError(
    `${name} is ${foundName}, not ${KIND_NAMES[kind]}`,
    "Correct format: type: in the source file, or leave it out: it is found out from the file.",
  );
}
