import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { randomBytes } from "node:crypto";
import { deflateRawSync, gzipSync } from "node:zlib";
import { recognize } from "../../../../lib/ingest/formats/recognize.ts";
import { joinBytes, toBytes } from "../../store/harness.ts";

const LETTERS_1251 = Uint8Array.from({ length: 600 }, (_, index) => 0xc0 + index % 64);

function utf16(text: string, littleEndian = true): Uint8Array {
  const bytes = new Uint8Array(text.length * 2);
  const view = new DataView(bytes.buffer);
  for (let index = 0; index < text.length; index++) {
    view.setUint16(index * 2, text.charCodeAt(index), littleEndian);
  }
  return bytes;
}

describe("recognize()", () => {
  const header = "Номер;Товар;Сумма\r\n1;Лампа;100,50\r\n".repeat(20);
  const kinds: [what: string, head: string | Uint8Array, name: string, kind: string][] = [
    ["gzip", gzipSync("a,b\n"), "a.csv", "gzip"],
    ["a zip", "PK\x03\x04 and so on", "a.xlsx", "zip"],
    ["an empty zip", "PK\x05\x06" + "\0".repeat(18), "a.zip", "zip"],
    ["Parquet", "PAR1\x15\x04", "a.csv", "parquet"],
    ["CSV", "a,b\n1,2\n", "a.txt", "csv"],
    ["CSV named as an old workbook", "a\tb\n1\t2\n", "a.xls", "csv"],
    ["nothing", "", "a.csv", "csv"],
    ["nothing, by its name", "", "a.jsonl", "jsonl"],
    ["nothing, by its name before .gz", "", "a.ndjson.gz", "jsonl"],
    ["JSON lines", '\n {"a":1}\n{"a":2}\n', "a.csv", "jsonl"],
    ["JSON lines with blanks", '{ "a": 1 }\n', "a", "jsonl"],
    ["JSON lines behind a byte order mark", '\ufeff{"a":1}\n', "a", "jsonl"],
    ["JSON lines in UTF-16", utf16('\ufeff{"a":1}\n'), "a", "jsonl"],
    ["JSON lines by name when the first line is none", "oops\n", "a.jsonl", "jsonl"],
    ["CSV whose first name is in braces", "{id},b\n", "a.csv", "csv"],
    ["CSV whose names are in brackets", "[id],[b]\n", "a.csv", "csv"],
    ["CSV in UTF-8", header, "a.csv", "csv"],
    ["CSV in windows-1251", LETTERS_1251, "a.csv", "csv"],
    ["CSV in UTF-16 with a mark", utf16("\ufeff" + header), "a.csv", "csv"],
    ["CSV in UTF-16LE without a mark", utf16(header), "a.csv", "csv"],
    ["CSV in UTF-16BE without a mark", utf16(header, false), "a.csv", "csv"],
    ["CSV with a zero byte", "a,b\n\0,1\n" + "1,2\n".repeat(100), "a.csv", "csv"],
    ["CSV before zeros", "a,b\n1,2\n" + "\0".repeat(1000), "a.csv", "csv"],
  ];
  for (const [what, head, name, kind] of kinds) {
    it(`recognizes ${what}`, () => assertEquals(recognize(toBytes(head), name).kind, kind));
  }

  const refusals: [what: string, head: string | Uint8Array, says: string, remedy: RegExp][] = [
    [
      "an .xls file",
      Uint8Array.of(0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1, 0),
      "an old Excel workbook",
      /as \.xlsx/,
    ],
    ["a web page", "<html><table>", "a web page", /as \.xlsx or CSV/],
    ["a web page with a comment", "\ufeff<!-- x -->\n<!DOCTYPE html>", "a web page", /as \.xlsx or CSV/],
    ["a table of a web page in UTF-16", utf16("\ufeff<TABLE border=1>"), "a web page", /as \.xlsx or CSV/],
    ["XML", '<?xml version="1.0"?><Workbook>', "an XML file", /as \.xlsx or CSV/],
    ["a JSON array", '[\n  {"a": 1}', "a JSON array", /one object a line/],
    ["an empty JSON array", "[]", "a JSON array", /one object a line/],
    ["an indented JSON object", '{\n  "orders": [', "a JSON object over several lines", /one object a line/],
    ["a PDF document", "%PDF-1.7", "a PDF", /as CSV/],
    ["an image", "\x89PNG\r\n", "an image", /as CSV/],
    ["an encrypted Parquet file", "PARE", "an encrypted Parquet file", /without encryption/],
    ["a tar archive", "a.csv".padEnd(257, "\0") + "ustar\0", "a tar archive", /gzip or zip/],
    ["zstd", Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd), "compressed with zstd", /gzip or zip/],
    ["random bytes", joinBytes(["x", randomBytes(4096)]), "a binary file", /as CSV/],
    ["compressed bytes", deflateRawSync(randomBytes(4096)), "a binary file", /as CSV/],
    [
      "numbers in binary",
      new Uint8Array(Uint32Array.from({ length: 500 }, (_, at) => at * 7).buffer),
      "a binary file",
      /as CSV/,
    ],
  ];
  for (const [what, head, says, remedy] of refusals) {
    it(`refuses ${what}`, () => {
      const bytes = typeof head === "string" && /^[\x89%]/.test(head)
        ? Uint8Array.from(head, (character) => character.charCodeAt(0))
        : toBytes(head);
      const recognized = recognize(bytes, "a.csv");
      assert(recognized.kind === "refused", recognized.kind);
      assert(recognized.what.startsWith(says), recognized.what);
      assert(remedy.test(recognized.remedy), recognized.remedy);
    });
  }
});
