import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { gzipSync } from "node:zlib";
import { SalesflowError } from "../../../lib/console/errors.ts";
import {
  MAX_COMPRESSION_RATIO,
  MAX_RECORD_BYTES,
  readExport,
  UNCHECKED_OUTPUT_BYTES,
} from "../../../lib/ingest/read_export.ts";
import { joinBytes, toBytes } from "../store/harness.ts";

let folder: string;
beforeAll(async () => {
  folder = await Deno.makeTempDir();
});
afterAll(() => Deno.remove(folder, { recursive: true }));

async function file(content: string | Uint8Array): Promise<string> {
  const path = `${folder}/${crypto.randomUUID()}.csv`;
  await Deno.writeFile(path, toBytes(content));
  return path;
}

/** Returns all records as `line: value|value`. */
async function read(content: string | Uint8Array, encoding = "utf-8"): Promise<string[]> {
  const records: string[] = [];
  for await (const { values, line } of readExport(await file(content), encoding)) {
    records.push(`${line}: ${values.join("|")}`);
  }
  return records;
}

/** "Запад" and "№" in windows-1251. */
const WEST_1251 = Uint8Array.of(0xc7, 0xe0, 0xef, 0xe0, 0xe4);
const NUMBER_1251 = Uint8Array.of(0xb9);

describe("readExport()", () => {
  const cases: [what: string, content: string | Uint8Array, records: string[]][] = [
    ["commas", "a,b\n1,2\n", ["1: a|b", "2: 1|2"]],
    ["semicolons", "a;b\n1,5;2\n", ["1: a|b", "2: 1,5|2"]],
    ["tabs", "a\tb\n1 000\t2\n", ["1: a|b", "2: 1 000|2"]],
    ["CR LF", "a,b\r\n1,2\r\n", ["1: a|b", "2: 1|2"]],
    ["LF and CR LF", "a,b\r\n1,2\n3,4\r\n", ["1: a|b", "2: 1|2", "3: 3|4"]],
    ["no line end at the end of the file", "a,b\n1,2", ["1: a|b", "2: 1|2"]],
    ["a byte order mark", "\ufeffa,b\n1,2\n", ["1: a|b", "2: 1|2"]],
    ["a byte order mark before quotes", '\ufeff"a","b"\n1,2\n', ["1: a|b", "2: 1|2"]],
    ["quotes", '"a","b"\n"1,2","say ""yes"""\n', ["1: a|b", '2: 1,2|say "yes"']],
    ["line ends in quotes", 'a,b\n"1\n1","2\r\n2"\n3,4\n', ["1: a|b", "4: 1\n1|2\r\n2", "5: 3|4"]],
    ["line ends in the header", '"a\nx",b\n1,2\n', ["2: a\nx|b", "3: 1|2"]],
    ["a quote inside a value", 'a,b\n5" disk,2\n', ["1: a|b", '2: 5" disk|2']],
    ["blank lines", "\n \na;b\n\n1;2\n\t\n3;4\n\n", ["3: a|b", "5: 1|2", "7: 3|4"]],
    ["too few and too many values", "a,b\n1\n1,2,3\n", ["1: a|b", "2: 1", "3: 1|2|3"]],
    ["empty values", "a,b\n,\n,,\n", ["1: a|b", "2: |", "3: ||"]],
    ["a header only", "a,b\n", ["1: a|b"]],
    ["a header without a line end", "a;b", ["1: a|b"]],
    ["one byte", "a", ["1: a"]],
    ["nothing", "", []],
    ["blank lines only", " \n\n\r\n", []],
    ["NULs", "a,b\n\0,1\n", ["1: a|b", "2: \0|1"]],
    ["invalid UTF-8", joinBytes(["a,b\n", Uint8Array.of(0xd0, 0x2c, 0xff), "\n"]), [
      "1: a|b",
      "2: \ufffd|\ufffd",
    ]],
  ];
  for (const [what, content, records] of cases) {
    it(`reads ${what}`, async () => assertEquals(await read(content), records));
    it(`reads ${what}, compressed`, async () =>
      assertEquals(await read(gzipSync(toBytes(content))), records));
  }

  it("reads windows-1251", async () => {
    const content = joinBytes([NUMBER_1251, ";b\n", WEST_1251, ";2\n"]);
    assertEquals(await read(content, "windows-1251"), ["1: №|b", "2: Запад|2"]);
    assertEquals(await read(gzipSync(content), "cp1251"), ["1: №|b", "2: Запад|2"]);
  });

  it("reads UTF-16 with its byte order mark", async () => {
    const text = "\ufeffa;b\r\nЮг;2\r\n";
    const bytes = new Uint8Array(Uint16Array.from(text, (char) => char.charCodeAt(0)).buffer);
    assertEquals(await read(bytes, "utf-16le"), ["1: a|b", "2: Юг|2"]);
  });

  it("decodes characters that are split between chunks", async () => {
    const rows = Array.from({ length: 40_000 }, (_, index) => `Север ₽ ${index}`);
    const found = await read(`a;b\n${rows.map((row) => `${row};x`).join("\n")}\n`);
    assertEquals(found.slice(1), rows.map((row, index) => `${index + 2}: ${row}|x`));
  });

  it("reads concatenated gzip members, as written by cat and pigz", async () => {
    const content = joinBytes([gzipSync("a,b\n1,"), gzipSync("2\n"), gzipSync(""), gzipSync("3,4\n")]);
    assertEquals(await read(content), ["1: a|b", "2: 1|2", "3: 3|4"]);
  });

  it("reads a pipe, which can be read only once", async () => {
    const path = `${folder}/pipe`;
    const { code } = await new Deno.Command("mkfifo", { args: [path] }).output();
    assertEquals(code, 0);
    const writing = Deno.writeFile(path, gzipSync("a,b\n1,2\n"));
    const records: string[] = [];
    for await (const { values } of readExport(path, "utf-8")) records.push(values.join("|"));
    await writing;
    assertEquals(records, ["a|b", "1|2"]);
  });

  it("reads a million columns", async () => {
    const records: number[] = [];
    const path = await file(`${",".repeat(1_000_000)}\n1,2\n`);
    for await (const { values } of readExport(path, "utf-8")) records.push(values.length);
    assertEquals(records, [1_000_001, 2]);
  });

  it("closes the file when the reader stops early", async () => {
    const rows = "1,2\n".repeat(500_000);
    for (const content of [`a,b\n${rows}`, gzipSync(`a,b\n${rows}`)]) {
      const path = await file(content);
      const open = async () => {
        const names = await Array.fromAsync(Deno.readDir("/proc/self/fd"), ({ name }) => name);
        const targets = await Promise.all(
          names.map((fd) => Deno.readLink(`/proc/self/fd/${fd}`).catch(() => "")),
        );
        return targets.filter((target) => target === path).length;
      };
      const records = readExport(path, "utf-8");
      await records.next();
      assert(await open() > 0);
      await records.return(undefined);
      // A pending read keeps the file open for a moment.
      for (let turn = 0; turn < 1_000 && await open() > 0; turn++);
      // The close system call follows in later turns of the event loop.
      for (let turn = 0; turn < 100 && await open() > 0; turn++) {
        await new Promise((next) => setTimeout(next, 0));
      }
      assertEquals(await open(), 0);
    }
  });

  const rows = Array.from({ length: 5_000 }, (_, index) => `${index},${index * 7919 % 10_007}\n`).join("");
  const compressed = gzipSync(`a,b\n${rows}`);
  const damages: [what: string, content: Uint8Array, message: string][] = [
    ["is truncated in the middle", compressed.subarray(0, compressed.length / 2), "is damaged"],
    ["lacks its last bytes", compressed.subarray(0, -4), "is damaged"],
    [
      "has a wrong checksum",
      Uint8Array.from(compressed).with(compressed.length - 6, compressed.at(-6)! ^ 1),
      "is damaged",
    ],
    ["has a byte changed", Uint8Array.from(compressed).with(2_000, compressed[2_000]! ^ 0xff), "is damaged"],
    ["holds only the gzip magic number", Uint8Array.of(0x1f, 0x8b), "is damaged"],
  ];
  for (const [what, content, message] of damages) {
    it(`fails when a gzip file ${what}`, async () => {
      const error = await assertRejects(() => read(content), SalesflowError, message);
      assertEquals([error.exitCode, error.stage], [2, "ingest"]);
    });
  }

  const unclosed: [what: string, content: string, line: number][] = [
    ["is unclosed", 'a,b\n1,2\n3,"4\n5,6\n', 4],
    ["is unclosed in the header", '"a,b\n1,2\n', 2],
  ];
  for (const [what, content, line] of unclosed) {
    it(`reports the line when a quote ${what}`, async () => {
      const error = await assertRejects(() => read(content), SalesflowError, "has an unclosed quote");
      assertStringIncludes(error.message, `line ${line}`);
      assertStringIncludes(error.remedy!, "lone double quote");
    });
  }

  it("fails on a record above the limit without reading all of it", async () => {
    const content = joinBytes([`a,b\n1,"`, "x".repeat(3 * MAX_RECORD_BYTES), `"\n`]);
    await assertRejects(() => read(content), SalesflowError, "is too long or has an unclosed quote");
  });

  for (const [what, content] of [["NULs", "\0"], ["letters", "a"], ["quotes", '"']] as const) {
    it(`limits memory when a gzip file decompresses to a gigabyte of ${what}`, async () => {
      // A gzip member of 16 MiB, 64 times.
      const member = gzipSync(toBytes(content.repeat(1 << 24)));
      const path = await file(joinBytes(Array.from({ length: 64 }, () => member)));
      const before = Deno.memoryUsage().rss;
      await assertRejects(async () => {
        for await (const _ of readExport(path, "utf-8")) assert(Deno.memoryUsage().rss - before < 300e6);
      }, SalesflowError);
      assert(Deno.memoryUsage().rss - before < 300e6);
    });
  }

  it(`fails when a gzip file decompresses to more than ${MAX_COMPRESSION_RATIO} times its size`, async () => {
    const compressed = gzipSync(`a,b\n1,2\n${"1,2\n".repeat(UNCHECKED_OUTPUT_BYTES)}`);
    assert(compressed.length * MAX_COMPRESSION_RATIO < 3 * UNCHECKED_OUTPUT_BYTES);
    const error = await assertRejects(() => read(compressed), SalesflowError, "times its size");
    assertEquals([error.exitCode, error.stage], [2, "ingest"]);
    assertStringIncludes(error.remedy!, "decompress it yourself");
  });

  it("reads small gzip files of one repeated row, and large ones of ordinary rows", async () => {
    const same = "1,2\n".repeat(100_000);
    assertEquals((await read(gzipSync(`a,b\n${same}`))).length, 100_001);
    let ordinary = "a,b\n";
    for (let id = 0; ordinary.length < 2 * UNCHECKED_OUTPUT_BYTES; id++) {
      ordinary += `${id},2026-11-24 00:00:00 the same all the time,North,North,North,North,North,North\n`;
    }
    const last = (await read(gzipSync(ordinary))).at(-1)!;
    assertStringIncludes(last, "|North");
  });

  it("stops within blank lines when the signal aborts", async () => {
    const stop = new AbortController();
    const records = readExport(await file(`a,b\n${"\n".repeat(10_000)}`), "utf-8", stop.signal);
    await records.next();
    stop.abort(new SalesflowError("Stopped", { exitCode: 75 }));
    await assertRejects(() => records.next(), SalesflowError, "Stopped");
  });

  it("fails when the file does not exist or is a folder", async () => {
    const missing = async (path: string) => {
      for await (const _ of readExport(path, "utf-8"));
    };
    const error = await assertRejects(
      () => missing(`${folder}/none.csv`),
      SalesflowError,
      "There is no file",
    );
    assertEquals(error.exitCode, 2);
    await assertRejects(() => missing(folder), SalesflowError, `Cannot read ${folder}`);
  });

  it("has a remedy for a folder and for a file without read permission", async () => {
    const open = Deno.open;
    const read = (path: string) => assertRejects(() => readExport(path, "utf-8").next(), SalesflowError);
    const folder = await read("/");
    assertEquals([folder.exitCode, folder.message], [2, "Cannot read /: it is a folder"]);
    // Simulated, because root may read every file.
    Deno.open = () => Promise.reject(new Deno.errors.PermissionDenied("os error 13"));
    try {
      const denied = await read("/secret.csv");
      assertEquals([denied.exitCode, denied.message], [2, "Cannot read /secret.csv: permission denied"]);
      assertStringIncludes(denied.remedy!, "permission to read");
    } finally {
      Deno.open = open;
    }
  });
});
