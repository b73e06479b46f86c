import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { gzipSync } from "node:zlib";
import { SalesflowError } from "../../../lib/console/errors.ts";
import {
  FREE_UNPACKED_BYTES,
  LONGEST_RECORD_BYTES,
  MOST_TIMES_UNPACKED,
  readExport,
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

/** All records as `line: value|value`. */
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
    ["no line end at the end", "a,b\n1,2", ["1: a|b", "2: 1|2"]],
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
    ["broken UTF-8", joinBytes(["a,b\n", Uint8Array.of(0xd0, 0x2c, 0xff), "\n"]), [
      "1: a|b",
      "2: \ufffd|\ufffd",
    ]],
  ];
  for (const [what, content, records] of cases) {
    it(`reads ${what}`, async () => assertEquals(await read(content), records));
    it(`reads ${what}, packed`, async () => assertEquals(await read(gzipSync(toBytes(content))), records));
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

  it("reads characters that are cut between chunks", async () => {
    const rows = Array.from({ length: 40_000 }, (_, index) => `Север ₽ ${index}`);
    const found = await read(`a;b\n${rows.map((row) => `${row};x`).join("\n")}\n`);
    assertEquals(found.slice(1), rows.map((row, index) => `${index + 2}: ${row}|x`));
  });

  it("reads several packed files in a row, as cat and pigz make them", async () => {
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

  it("lets go of the file when nobody wants more records", async () => {
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
      // A read that is under way holds the file a little longer.
      for (let turn = 0; turn < 1_000 && await open() > 0; turn++);
      // The system's close follows in the next turns of the event loop.
      for (let turn = 0; turn < 100 && await open() > 0; turn++) {
        await new Promise((next) => setTimeout(next, 0));
      }
      assertEquals(await open(), 0);
    }
  });

  const rows = Array.from({ length: 5_000 }, (_, index) => `${index},${index * 7919 % 10_007}\n`).join("");
  const packed = gzipSync(`a,b\n${rows}`);
  const damages: [what: string, content: Uint8Array, message: string][] = [
    ["is cut in the middle", packed.subarray(0, packed.length / 2), "is damaged"],
    ["lacks its last bytes", packed.subarray(0, -4), "is damaged"],
    [
      "has another checksum",
      Uint8Array.from(packed).with(packed.length - 6, packed.at(-6)! ^ 1),
      "is damaged",
    ],
    ["has a byte changed", Uint8Array.from(packed).with(2_000, packed[2_000]! ^ 0xff), "is damaged"],
    ["is nothing but the beginning of a packed file", Uint8Array.of(0x1f, 0x8b), "is damaged"],
  ];
  for (const [what, content, message] of damages) {
    it(`fails clearly when a packed file ${what}`, async () => {
      const error = await assertRejects(() => read(content), SalesflowError, message);
      assertEquals([error.exitCode, error.stage], [2, "ingest"]);
    });
  }

  const unclosed: [what: string, content: string, line: number][] = [
    ["never closes", 'a,b\n1,2\n3,"4\n5,6\n', 4],
    ["never closes in the header", '"a,b\n1,2\n', 2],
  ];
  for (const [what, content, line] of unclosed) {
    it(`names the line when a quote ${what}`, async () => {
      const error = await assertRejects(() => read(content), SalesflowError, "its quote never closes");
      assertStringIncludes(error.message, `line ${line}`);
      assertStringIncludes(error.remedy!, "lone double quote");
    });
  }

  it("refuses a record that is longer than the limit, without reading all of it", async () => {
    const content = joinBytes([`a,b\n1,"`, "x".repeat(3 * LONGEST_RECORD_BYTES), `"\n`]);
    await assertRejects(() => read(content), SalesflowError, "too long or its quote never closes");
  });

  for (const [what, content] of [["NULs", "\0"], ["letters", "a"], ["quotes", '"']] as const) {
    it(`stays small when a packed file unfolds into a gigabyte of ${what}`, async () => {
      // One member of 16 MiB, 64 times: packed files in a row are one file.
      const member = gzipSync(toBytes(content.repeat(1 << 24)));
      const path = await file(joinBytes(Array.from({ length: 64 }, () => member)));
      const before = Deno.memoryUsage().rss;
      await assertRejects(async () => {
        for await (const _ of readExport(path, "utf-8")) assert(Deno.memoryUsage().rss - before < 300e6);
      }, SalesflowError);
      assert(Deno.memoryUsage().rss - before < 300e6);
    });
  }

  it(`refuses a packed file that unfolds into more than ${MOST_TIMES_UNPACKED} times its size`, async () => {
    const packed = gzipSync(`a,b\n1,2\n${"1,2\n".repeat(FREE_UNPACKED_BYTES)}`);
    assert(packed.length * MOST_TIMES_UNPACKED < 3 * FREE_UNPACKED_BYTES);
    const error = await assertRejects(() => read(packed), SalesflowError, "times its size");
    assertEquals([error.exitCode, error.stage], [2, "ingest"]);
    assertStringIncludes(error.remedy!, "unpack it yourself");
  });

  it("reads small packed files of the same row, and large ones of ordinary rows", async () => {
    const same = "1,2\n".repeat(100_000);
    assertEquals((await read(gzipSync(`a,b\n${same}`))).length, 100_001);
    let ordinary = "a,b\n";
    for (let id = 0; ordinary.length < 2 * FREE_UNPACKED_BYTES; id++) {
      ordinary += `${id},2026-11-24 00:00:00 the same all the time,North,North,North,North,North,North\n`;
    }
    const last = (await read(gzipSync(ordinary))).at(-1)!;
    assertStringIncludes(last, "|North");
  });

  it("stops among blank lines when it is told to", async () => {
    const stop = new AbortController();
    const records = readExport(await file(`a,b\n${"\n".repeat(10_000)}`), "utf-8", stop.signal);
    await records.next();
    stop.abort(new SalesflowError("Stopped", { exitCode: 75 }));
    await assertRejects(() => records.next(), SalesflowError, "Stopped");
  });

  it("names a file that is not there, or is a folder", async () => {
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

  it("says what to do about a folder, and about a file that may not be read", async () => {
    const open = Deno.open;
    const read = (path: string) => assertRejects(() => readExport(path, "utf-8").next(), SalesflowError);
    const folder = await read("/");
    assertEquals([folder.exitCode, folder.message], [2, "Cannot read /: it is a folder"]);
    // Root may read everything.
    Deno.open = () => Promise.reject(new Deno.errors.PermissionDenied("os error 13"));
    try {
      const refused = await read("/secret.csv");
      assertEquals([refused.exitCode, refused.message], [2, "Cannot read /secret.csv: it is not allowed"]);
      assertStringIncludes(refused.remedy!, "permission to read");
    } finally {
      Deno.open = open;
    }
  });
});
