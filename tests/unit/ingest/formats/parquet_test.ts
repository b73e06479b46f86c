import { assert, assertEquals, assertRejects } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { SalesflowError } from "../../../../lib/console/errors.ts";
import { ParquetFile, type ParquetReadOptions } from "../../../../lib/ingest/formats/parquet.ts";

const DATA = new URL("data/", import.meta.url);

let folder: string;
beforeAll(async () => {
  folder = await Deno.makeTempDir();
});
afterAll(() => Deno.remove(folder, { recursive: true }));

function open(name: string): Promise<ParquetFile> {
  return ParquetFile.open({ path: new URL(name, DATA).pathname, name });
}

/** Returns all rows, and checks their numbers. */
async function read(name: string, options: ParquetReadOptions = {}): Promise<string[][]> {
  using file = await open(name);
  const batches = await Array.fromAsync(file.read(options));
  return batches.flatMap(({ rows }) => rows);
}

/** Returns the values of each column, by its name. */
async function readColumns(
  name: string,
  options: ParquetReadOptions = {},
): Promise<Record<string, string[]>> {
  using file = await open(name);
  const rows = await read(name, options);
  return Object.fromEntries(file.columns.map((column, index) => [column, rows.map((row) => row[index]!)]));
}

/** What the file types.parquet holds in its first two rows; the third is null. */
const TYPES: Record<string, [string, string]> = {
  bool: ["true", "false"],
  int8: ["-128", "127"],
  uint8: ["0", "255"],
  int32: ["-2147483648", "2147483647"],
  uint32: ["0", "4294967295"],
  int64: ["-9223372036854775808", "9223372036854775807"],
  uint64: ["0", "18446744073709551615"],
  float16: ["0.5", "-2"],
  float: ["0.1", "19.99"],
  double: ["0.30000000000000004", "0.0000001"],
  decimal9: ["-0.05", "1234567.89"],
  decimal38: ["-0.0000000001", "1234567890123456789012345678.9012345678"],
  date: ["2026-11-15", "1969-12-31"],
  time_ms: ["09:05:00", "23:59:59.25"],
  time_us: ["09:05:00.000001", "00:00:00"],
  local_ms: ["2026-11-15 21:30:07.25", "2026-11-15 00:00:00"],
  local_us: ["1969-12-31 23:59:59.000001", "2026-11-15 21:30:07.25"],
  local_ns: ["1970-01-01 00:00:00.000000001", "2026-11-15 21:30:07.25"],
  utc_ms: ["2026-11-15 21:30:07.25Z", "2026-11-15 00:00:00Z"],
  utc_us: ["1969-12-31 23:59:59.000001Z", "2026-11-15 21:30:07.25Z"],
  utc_ns: ["1969-12-31 23:59:59.999999999Z", "2026-11-15 21:30:07.25Z"],
  text: ["Север, юг", ""],
  binary: ["abc", "й"],
  fixed: ["abc", "def"],
  dictionary: ["North", "South"],
  null: ["", ""],
};

describe("ParquetFile", () => {
  for (const name of ["types.parquet", "types_v2.parquet"]) {
    it(`reads all types and null from ${name}`, async () => {
      const expected = Object.entries(TYPES).map(([column, values]) => [column, [...values, ""]]);
      assertEquals(await readColumns(name), Object.fromEntries(expected));
    });
  }

  it("reads columns that are never null", async () => {
    const { null: _, ...expected } = TYPES;
    assertEquals(await readColumns("required.parquet"), expected);
  });

  it("reads decimals that are stored as whole numbers", async () => {
    assertEquals(await readColumns("integer_decimals.parquet"), {
      decimal9: ["-0.05", "1234567.89", ""],
      decimal18: ["-1.500", "123456789012345.678", ""],
    });
  });

  it("reads times of older writers as times in UTC", async () => {
    const moments = ["1969-12-31 23:59:59.000001Z", "2026-11-15 21:30:07.25Z", ""];
    assertEquals(await readColumns("int96.parquet"), { local_us: moments, utc_us: moments });
  });

  it("writes numbers with a decimal comma when told to", async () => {
    const columns = await readColumns("types.parquet", { decimal: "," });
    const names = ["float16", "float", "double", "decimal9", "decimal38", "int32", "time_us"];
    assertEquals(names.map((name) => columns[name]![0]), [
      ...["0,5", "0,1", "0,30000000000000004", "-0,05", "-0,0000000001", "-2147483648", "09:05:00.000001"],
    ]);
  });

  it("names members of structures with points, and writes lists and maps as JSON", async () => {
    using file = await open("nested.parquet");
    assertEquals(file.columns, ["order.id", "order.at.day", "tags", "lines", "map", "order.id"]);
    const line = '{"sku":"K1","price":0.10,"at":"2026-11-15 21:30:07Z","ok":true,"n":1152921504606846976}';
    assertEquals(await read("nested.parquet"), [
      ["A-1", "2026-11-15", '["a",null]', `[${line}]`, '{"a":1}', "x"],
      ["", "", "[]", "[]", "{}", "y"],
      ["", "", "", "", "", "z"],
    ]);
  });

  for (const codec of ["none", "snappy", "gzip", "brotli", "zstd", "lz4"]) {
    it(`decompresses ${codec}`, async () => {
      const rows = await read(`codec_${codec}.parquet`);
      assertEquals(rows, Array.from({ length: 1000 }, (_, index) => [String(index), `Region ${index % 7}`]));
    });
  }

  it("reads values in all common encodings", async () => {
    const rows = Array.from({ length: 300 }, (_, index) => [
      ...[String(index * index), String(2n ** 60n - BigInt(index)), `Region ${index % 7}`, `Region ${index}`],
      ...[String(index / 8), String(index % 100 < 50)],
    ]);
    assertEquals(await read("encodings.parquet"), rows);
  });

  it("reads only the wanted columns, in the wanted order", async () => {
    assertEquals((await read("nested.parquet", { columns: [5, 1] }))[0], ["x", "2026-11-15"]);
    assertEquals(await read("nested.parquet", { columns: [] }), [[], [], []]);
  });

  it("reads only the wanted row groups, with the numbers of their rows", async () => {
    using file = await open("codec_snappy.parquet");
    assertEquals(file.rowGroups, [400, 400, 200]);
    const batches = await Array.fromAsync(file.read({ rowGroups: [2, 0], columns: [0] }));
    assertEquals(batches.map(({ rows, line }) => [line, rows.length, rows[0]]), [[801, 200, ["800"]], [
      1,
      400,
      ["0"],
    ]]);
  });

  it("reads a file without rows", async () => {
    using file = await open("empty.parquet");
    assertEquals([file.columns, await Array.fromAsync(file.read())], [["id"], []]);
  });

  it("refuses encrypted files, and encrypted columns when they are wanted", async () => {
    for (const name of ["encrypted.parquet", "encrypted_column.parquet"]) {
      const error = await assertRejects(
        () => read(name),
        SalesflowError,
        `${name} is an encrypted Parquet file`,
      );
      assertEquals([error.exitCode, error.stage, error.remedy], [
        2,
        "ingest",
        "Write it again without encryption.",
      ]);
    }
    assertEquals(await read("encrypted_column.parquet", { columns: [1] }), [["a"], ["b"]]);
  });

  /** Reads bytes as a file; fails unless they can be read or the error is a message about the file. */
  async function readOrRefuse(bytes: Uint8Array): Promise<"read" | "refused"> {
    const path = `${folder}/${crypto.randomUUID()}`;
    await Deno.writeFile(path, bytes);
    try {
      using file = await ParquetFile.open({ path, name: "a.parquet" });
      await Array.fromAsync(file.read());
      return "read";
    } catch (error) {
      assert(error instanceof SalesflowError && error.message.includes("a.parquet"), String(error));
      return "refused";
    } finally {
      await Deno.remove(path);
    }
  }

  it("refuses a file that is cut anywhere", async () => {
    const bytes = await Deno.readFile(new URL("nested.parquet", DATA));
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), async (length) => {
        assertEquals(await readOrRefuse(bytes.subarray(0, length)), "refused");
      }),
      { numRuns: 50 },
    );
  });

  it("refuses a file whose middle is missing", async () => {
    const bytes = await Deno.readFile(new URL("codec_snappy.parquet", DATA));
    const shorter = new Uint8Array([...bytes.subarray(0, 1000), ...bytes.subarray(3000)]);
    assertEquals(await readOrRefuse(shorter), "refused");
  });

  it("reads or refuses a file with any byte changed", async () => {
    const files = [
      "types.parquet",
      "types_v2.parquet",
      "nested.parquet",
      "codec_zstd.parquet",
      "codec_lz4.parquet",
    ];
    const contents = await Promise.all(files.map((name) => Deno.readFile(new URL(name, DATA))));
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...contents), fc.nat(), fc.nat(255), async (bytes, at, value) => {
        await readOrRefuse(Uint8Array.from(bytes).with(at % bytes.length, value));
      }),
      { numRuns: 150 },
    );
  });

  it("fails for a path without a file", async () => {
    const missing = ParquetFile.open({ path: `${folder}/none`, name: "none.parquet" });
    await assertRejects(() => missing, SalesflowError, "There is no file none.parquet");
  });
});
