/** Recognizes what an export is by its first bytes, then by its name. No I/O. */

/** What a file is: something to read or unpack, or something that cannot be ingested. */
export type Recognized =
  | { kind: "gzip" | "zip" | "parquet" | "jsonl" | "csv" }
  | {
    kind: "refused";
    /** Completes the sentence “FILE is …”. */
    what: string;
    /** What the user can do, as a sentence. */
    remedy: string;
  };

/** Bytes of a file that suffice to recognize it. */
export const HEAD_BYTES = 4096;

const EXPORT_REMEDY = "Export the sales as CSV, .xlsx, JSON lines or Parquet.";
const DECOMPRESS_REMEDY = "Decompress it, or compress its files with gzip or zip.";
const SAVE_REMEDY = "Open it in Excel or LibreOffice and save it as .xlsx or CSV.";
const OLD_WORKBOOK_REMEDY =
  "Open it in Excel or LibreOffice and save it as .xlsx without a password, or as CSV.";
const JSON_LINES_REMEDY = "Write one object a line, such as with: jq -c '.[]' FILE.json > FILE.jsonl";

interface Signature {
  /** Bytes as characters from U+0000 to U+00FF. */
  bytes: string;
  /** Position of the bytes. */
  at?: number;
  recognized: Recognized;
}

function refused(what: string, remedy: string): Recognized {
  return { kind: "refused", what, remedy };
}

const SIGNATURES: readonly Signature[] = [
  { bytes: "\x1f\x8b", recognized: { kind: "gzip" } },
  { bytes: "PK\x03\x04", recognized: { kind: "zip" } },
  // A zip without entries, and one that was meant to be split.
  { bytes: "PK\x05\x06", recognized: { kind: "zip" } },
  { bytes: "PK\x07\x08", recognized: { kind: "zip" } },
  { bytes: "PAR1", recognized: { kind: "parquet" } },
  {
    bytes: "PARE",
    recognized: refused("an encrypted Parquet file", "Write it again without encryption."),
  },
  {
    bytes: "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    recognized: refused("an old Excel workbook (.xls), or a workbook with a password", OLD_WORKBOOK_REMEDY),
  },
  { bytes: "%PDF-", recognized: refused("a PDF document", EXPORT_REMEDY) },
  { bytes: "\x89PNG", recognized: refused("an image", EXPORT_REMEDY) },
  { bytes: "\xff\xd8\xff", recognized: refused("an image", EXPORT_REMEDY) },
  { bytes: "GIF8", recognized: refused("an image", EXPORT_REMEDY) },
  { bytes: "II*\0", recognized: refused("an image", EXPORT_REMEDY) },
  { bytes: "MM\0*", recognized: refused("an image", EXPORT_REMEDY) },
  { bytes: "7z\xbc\xaf\x27\x1c", recognized: refused("a 7z archive", DECOMPRESS_REMEDY) },
  { bytes: "Rar!\x1a\x07", recognized: refused("a RAR archive", DECOMPRESS_REMEDY) },
  { bytes: "ustar", at: 257, recognized: refused("a tar archive", DECOMPRESS_REMEDY) },
  { bytes: "\xfd7zXZ\0", recognized: refused("compressed with xz", DECOMPRESS_REMEDY) },
  { bytes: "1AY&SY", at: 4, recognized: refused("compressed with bzip2", DECOMPRESS_REMEDY) },
  { bytes: "\x28\xb5\x2f\xfd", recognized: refused("compressed with zstd", DECOMPRESS_REMEDY) },
  { bytes: "SQLite format 3\0", recognized: refused("an SQLite database", EXPORT_REMEDY) },
  { bytes: "\x7fELF", recognized: refused("a program", EXPORT_REMEDY) },
];

/** Byte order marks, as they look when each byte is a character. */
const BYTE_ORDER_MARK = /^(?:\xef\xbb\xbf|\xff\xfe|\xfe\xff)/;
const HTML = /^(?:<!--[^]*?-->\s*)?<(?:!doctype html|html|head|meta|body|table|style|div)\b/i;
const XML = /^<\?xml\b/i;
/** An object on one line, or the beginning of a long one. */
const JSON_OBJECT = /^\{[ \t]*(?:"|\}|$)/;
/** An object that begins on a line and goes on below. */
const BROKEN_JSON_OBJECT = /^\{[ \t]*\r?\n\s*["}]/;
const JSON_ARRAY = /^\[\s*(?:[{[\]]|$)/;
const JSON_LINES_NAME = /\.(?:jsonl|ndjson|jsonlines)(?:\.gz)?$/i;

/** Control characters that are no white space and do not occur in text; U+001A ends text files of DOS, U+001B begins colors. */
// deno-lint-ignore no-control-regex -- the control characters are the point
const CONTROL = /[\0-\x08\x0e-\x19\x1c-\x1f]/g;
/** Share of control characters from which a file is no text. Every tenth byte of compressed or encrypted data is one. */
const MAX_CONTROL_SHARE = 0.05;
/** Too few bytes tell nothing. */
const MIN_TELLING_BYTES = 64;

function hasFewControls(text: string): boolean {
  return (text.match(CONTROL)?.length ?? 0) <= text.length * MAX_CONTROL_SHARE;
}

/** Reports whether bytes are text in some encoding: UTF-16, or one whose control characters are those of ASCII. */
function isText(head: Uint8Array, characters: string): boolean {
  if (head.length < MIN_TELLING_BYTES || hasFewControls(characters.replace(/\0+$/, ""))) return true;
  const evenBytes = head.subarray(0, head.length - head.length % 2);
  return ["utf-16le", "utf-16be"].some((encoding) => {
    try {
      return hasFewControls(new TextDecoder(encoding, { fatal: true }).decode(evenBytes));
    } catch {
      return false;
    }
  });
}

/**
 * Recognizes a file. Text is JSON lines when an object begins on its first line, otherwise CSV; an .xlsx file is a zip, since
 * only its entries tell.
 *
 * @param head its first {@linkcode HEAD_BYTES} bytes, at least 512 of them; fewer when the file is shorter
 * @param name its name, which decides only where the content does not
 */
export function recognize(head: Uint8Array, name: string): Recognized {
  const characters = Array.from(head.subarray(0, HEAD_BYTES), (byte) => String.fromCharCode(byte)).join("");
  const signature = SIGNATURES.find(({ bytes, at = 0 }) => characters.startsWith(bytes, at));
  if (signature) return signature.recognized;
  if (!isText(head, characters)) return refused("a binary file of an unknown kind", EXPORT_REMEDY);
  // Without its zero bytes, UTF-16 looks like ASCII.
  const text = characters.replace(BYTE_ORDER_MARK, "").replaceAll("\0", "").trimStart();
  if (HTML.test(text)) return refused("a web page, whatever its name says", SAVE_REMEDY);
  if (XML.test(text)) return refused("an XML file", SAVE_REMEDY);
  if (JSON_ARRAY.test(text)) return refused("a JSON array", JSON_LINES_REMEDY);
  if (BROKEN_JSON_OBJECT.test(text)) return refused("a JSON object over several lines", JSON_LINES_REMEDY);
  if (JSON_OBJECT.test(text) || JSON_LINES_NAME.test(name)) return { kind: "jsonl" };
  return { kind: "csv" };
}
