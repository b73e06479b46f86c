import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { UrlReader } from "../../../lib/connection/url_reader.ts";
import { UsageError } from "../../../lib/console/errors.ts";

const FORMAT = { schemes: ["db:", "dbs:"], example: "db://host", parameters: ["ca", "key"] };

const read = (text: string) => new UrlReader(text, FORMAT, "DB_URL");

describe("UrlReader", () => {
  it("parses URLs with all accepted schemes and parameters", () => {
    for (const text of ["db://user:pw@host:1/shop", "dbs://host?ca=x&key=y"]) {
      const reader = read(text);
      assertEquals([reader.url.hostname, reader.mistakes], ["host", []]);
      reader.throwMistakes();
    }
  });

  const invalid: [name: string, text: string, message: string][] = [
    ["text that is not a URL", "host/shop", "Cannot use DB_URL: it is not a URL, such as db://host"],
    ["a wrong scheme", "http://host", "Cannot use DB_URL: it must begin with db://, such as db://host"],
    ["a URL without a host", "db:///shop", "Cannot use DB_URL: it has no host, such as db://host"],
    [
      "a password with a slash",
      "db://user:1/2@host",
      "Cannot use DB_URL: it has an @ after the host; in a password, write / as %2F, ? as %3F, # as %23 and @ as %40",
    ],
  ];
  for (const [name, text, message] of invalid) {
    it(`constructor rejects ${name}`, () => {
      assertEquals(assertThrows(() => read(text), UsageError).message, message);
    });
  }

  it("throwMistakes() lists unknown parameters, quoting only plain names", () => {
    const reader = read("db://host?sslmode=x&Geheim42=y");
    assertEquals(assertThrows(() => reader.throwMistakes(), UsageError).mistakes, [
      "Cannot use the parameter sslmode in DB_URL: it must be one of ca, key",
      "Cannot use a parameter in DB_URL: it must be one of ca, key",
    ]);
  });

  it("decode() decodes percent escapes, and adds a mistake for invalid ones", () => {
    const reader = read("db://host");
    assertEquals(reader.decode("p%40ss", "the password"), "p@ss");
    assertEquals(reader.decode("50%", "the password"), "");
    assertEquals(reader.mistakes, [
      "Cannot use the password in DB_URL: it has a % that is not followed by two hexadecimal digits",
    ]);
  });

  it("readFile() returns the content of the file, and undefined without the parameter", async () => {
    const path = await Deno.makeTempFile();
    try {
      await Deno.writeTextFile(path, "PEM");
      const reader = read(`db://host?ca=${encodeURIComponent(path)}`);
      assertEquals([reader.readFile("ca"), reader.readFile("key"), reader.mistakes], ["PEM", undefined, []]);
    } finally {
      await Deno.remove(path);
    }
  });

  it("readFile() adds a mistake when the file is missing or unreadable", async () => {
    const folder = await Deno.makeTempDir();
    try {
      const reader = read(`db://host?ca=${folder}/none&key=${folder}`);
      assertEquals([reader.readFile("ca"), reader.readFile("key")], [undefined, undefined]);
      assertEquals(reader.mistakes, [
        "Cannot use the file of ca in DB_URL: there is no such file",
        "Cannot use the file of key in DB_URL: it cannot be read",
      ]);
    } finally {
      await Deno.remove(folder);
    }
  });
});
