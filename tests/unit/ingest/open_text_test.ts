import { assert, assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { gunzipSync, gzipSync } from "node:zlib";
import { SalesflowError } from "../../../lib/console/errors.ts";
import { CHUNK_BYTES } from "../../../lib/ingest/chunks/cut_lines.ts";
import type { OpenedExport } from "../../../lib/ingest/opened_export.ts";
import { openCsv, openJsonLines } from "../../../lib/ingest/open_text.ts";
import type { HeaderSearch } from "../../../lib/ingest/source/find_header.ts";
import { joinBytes, toBytes } from "../store/harness.ts";
import { FakePool, mapFile, rulesOf } from "./chunks/harness.ts";

const COLUMNS = `columns:
  sale_id: {value: "1"}
  customer_id: {value: "1"}
  product_id: a
  quantity: {value: "1"}
  sale_date: {value: 2026-11-24}
  sale_amount: {value: "1"}
  region: b
`;
const rules = (format = "{}") => rulesOf(`version: 1\nformat: ${format}\n${COLUMNS}`);
const search = (format?: string): HeaderSearch => ({
  source: rules(format).source,
  copies: false,
  file: "a.csv",
});

async function* stream(content: string | Uint8Array, size = 7): AsyncGenerator<Uint8Array> {
  const bytes = toBytes(content);
  const step = bytes.length > 10_000 ? 65_537 : size;
  for (let at = 0; at < bytes.length; at += step) yield bytes.subarray(at, at + step);
}

/** Returns the values of a and b on each line, as raw lines hold them; what is no record stands as it is. */
async function read(opened: OpenedExport, format?: string): Promise<string[]> {
  const chunks = await Array.fromAsync(opened.chunks);
  const { raw } = await mapFile(chunks, opened.header.names, new FakePool(rules(format), 1));
  return raw.replace(/\n$/, "").split("\n").map((line) =>
    line.replace(/^1,1,(.*),1,2026-11-24,1,(.*)$/s, (_, a, b) => `${a}|${b}`)
  );
}

function toUtf16(text: string, isBigEndian: boolean): Uint8Array {
  const bytes = new Uint8Array(2 * text.length);
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < text.length; at++) view.setUint16(2 * at, text.charCodeAt(at), !isBigEndian);
  return bytes;
}

/** "7№" in windows-1251. */
const NUMBER_1251 = Uint8Array.of(0x37, 0xb9);

describe("openCsv()", () => {
  // Digits are ids that stay what they are.
  const cases: [what: string, content: string | Uint8Array, rows: string[], format?: string][] = [
    ["commas", "a,b\n1,2\n", ["1|2"]],
    ["semicolons", "a;b\n1;2,5\n", ['1|"2,5"']],
    ["tabs", "a\tb\n1\tx 000\n", ["1|x 000"]],
    ["CR LF", "a,b\r\n1,2\r\n", ["1|2"]],
    ["LF and CR LF", "a,b\r\n1,2\n3,4\r\n", ["1|2", "3|4"]],
    ["CR alone", "a,b\r1,2\r\r3,4\r", ["1|2", "", "3|4"]],
    ["no line end at the end of the file", "a,b\n1,2", ["1|2"]],
    ["a byte order mark", "\ufeffa,b\n1,2\n", ["1|2"]],
    ["a byte order mark before quotes", '\ufeff"a","b"\n1,2\n', ["1|2"]],
    ["quotes", '"a","b"\n"1","say ""yes, no"""\n', ['1|"say ""yes, no"""']],
    ["line ends in quotes", 'a,b\n"1","2\r\n2"\n3,4\n', ["1|2 2", "", "3|4"]],
    ["line ends in the header", '"a\nx",a,b\n0,1,2\n', ["1|2"]],
    ["a quote inside a value", 'a,b\n1,5" disk\n', ['1|"5"" disk"']],
    ["blank lines and lines above", "\n \nReport\na;b\n\n1;2\n\t\n3;4\n\n", ["", "1|2", "", "3|4", ""]],
    ["too few and too many values", "a,b\n1\n1,2,3\n", ['"1"', '"1,2,3"']],
    ["empty values behind", "a,b\n,\n1,2,,\n", ["|", "1|2"]],
    ["a header only", "a,b\n", [""]],
    ["a header without a line end", "a;b", [""]],
    ["NULs", "a,b\n1,\0\n", ["1|\0"]],
    ["invalid UTF-8", joinBytes(["a,b\n1,", Uint8Array.of(0xd0, 0x2e, 0xff), "\n"]), ["1|\ufffd.\ufffd"]],
    ["windows-1251", joinBytes(["a;b\n1;", NUMBER_1251, "\n"]), ["1|7№"], "{encoding: windows-1251}"],
    ["cp1251", joinBytes(["a;b\n1;", NUMBER_1251, "\n"]), ["1|7№"], "{encoding: cp1251}"],
    ["UTF-16 little endian by its byte order mark", toUtf16("\ufeffa;b\r\n1;Юг\r\n", false), ["1|Юг"]],
    ["UTF-16 big endian by its byte order mark", toUtf16("\ufeffa;b\n1;Юг\n", true), ["1|Юг"]],
    ["UTF-16 as said", toUtf16("a;b\n1;Юг\u0a0a\n", false), ["1|Юг\u0a0a"], "{encoding: utf-16le}"],
    ["UTF-16 with CR alone", toUtf16("\ufeffa;b\r1;Юг\r", false), ["1|Юг"]],
  ];
  for (const [what, content, rows, format] of cases) {
    it(`reads ${what}`, async () => {
      assertEquals(await read(await openCsv(stream(content), search(format)), format), rows);
    });
  }

  it("tells the encoding", async () => {
    const of = async (content: Uint8Array, format?: string) =>
      (await openCsv(stream(content), search(format))).encoding;
    assertEquals(await of(toUtf16("\ufeffa,b\n", true)), "utf-16be");
    assertEquals(await of(toBytes("a,b\n"), "{encoding: cp1251}"), "windows-1251");
    assertEquals(await of(toBytes("a,b\n")), "utf-8");
  });

  it("decodes characters that are split between chunks", async () => {
    const values = Array.from({ length: 100_000 }, (_, index) => `Север ₽ ${index}`);
    const text = `\ufeffa;b\n${values.map((value) => `1;${value}`).join("\n")}\n`;
    for (const content of [toBytes(text), toUtf16(text, false)]) {
      const opened = await openCsv(stream(content), search());
      // Not compared as arrays: the difference of long ones would take all memory.
      assert((await read(opened)).join("\n") === values.map((value) => `1|${value}`).join("\n"));
    }
  });

  it("reads a million columns", async () => {
    const opened = await openCsv(
      stream(`a,b${",".repeat(1_000_000)}\n1,2${",".repeat(1_000_000)}\n1,2\n`),
      search(),
    );
    assertEquals([opened.header.names.length, await read(opened)], [1_000_002, ["1|2", '"1,2"']]);
  });

  it("reads a header that is longer than a line, and what comes compressed", async () => {
    const text = `"${"x".repeat(CHUNK_BYTES - 100)}";a;b\n0;1;2\n`;
    assertEquals(await read(await openCsv(stream(gunzipSync(gzipSync(text))), search())), ["1|2"]);
  });

  it("closes the stream when it fails, and when it is closed early", async () => {
    let isOpen = false;
    async function* source(text: string) {
      isOpen = true;
      try {
        for (;;) yield toBytes(text);
      } finally {
        isOpen = false;
      }
    }
    await assertRejects(() => openCsv(source("x,y\n"), search()), SalesflowError, "there is no column a");
    assert(!isOpen);
    const opened = await openCsv(source("a,b\n"), search());
    assert(isOpen);
    await opened.close();
    assert(!isOpen);
  });

  it("fails when it is empty or no text", async () => {
    await assertRejects(() => openCsv(stream(""), search()), SalesflowError, "a.csv is empty");
    const opened = await openCsv(stream(`a,b\n${"x".repeat(30 << 20)}`), search());
    await assertRejects(() => Array.fromAsync(opened.chunks), SalesflowError, "no line end");
  });
});

describe("openJsonLines()", () => {
  it("reads the needed members, whatever their order", async () => {
    const text = '{"b":2.50,"a":1,"c":3}\n\nnot json\n{"a":"3","b":"x"}\n{"b":1}';
    const opened = await openJsonLines(stream(text), search());
    assertEquals(opened.header, { names: ["a", "b"], line: 0, lastLine: 0 });
    assertEquals(await read(opened), ["1|2.50", "", '"not json"', "3|x", "|1"]);
  });

  it("reads texts of joins that are members, as columns", async () => {
    const { source } = rulesOf(`version: 1\n${COLUMNS.replace('{value: "1"}', "{join: [order.id, web]}")}`);
    const opened = await openJsonLines(stream('{"a":1,"b":2,"order":{"id":7}}\n'), {
      source,
      copies: false,
      file: "a.jsonl",
    });
    assertEquals(opened.header.names, ["a", "b", "order.id"]);
    await opened.close();
  });

  it("fails when it is empty or lacks members", async () => {
    await assertRejects(() => openJsonLines(stream(""), search()), SalesflowError, "a.csv is empty");
    const error = await assertRejects(
      () => openJsonLines(stream('{"a":1}\n{"c":{"d":1}}\n'), search()),
      SalesflowError,
      "there is no column b (for region). Its columns are: a, c.d",
    );
    assertEquals(error.exitCode, 2);
  });
});
