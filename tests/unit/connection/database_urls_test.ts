import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { readDatabaseUrls } from "../../../lib/connection/database_urls.ts";
import { UsageError } from "../../../lib/console/errors.ts";

const POSTGRES = "SALESFLOW_POSTGRES_URL";
const CLICKHOUSE = "SALESFLOW_CLICKHOUSE_URL";
const SECRET = "Geheim42";

let folder: string;
beforeAll(async () => {
  folder = await Deno.makeTempDir();
});
afterAll(() => Deno.remove(folder, { recursive: true }));

function read(environment: Record<string, string>) {
  return readDatabaseUrls((name) => environment[name]);
}

function file(content: string): string {
  const path = `${folder}/${crypto.randomUUID()}`;
  Deno.writeTextFileSync(path, content);
  return path;
}

describe("readDatabaseUrls()", () => {
  it("returns undefined when variables are unset or empty", () => {
    const none = { postgresUrl: undefined, clickhouseUrl: undefined };
    assertEquals(read({}), none);
    assertEquals(read({ [POSTGRES]: "", [CLICKHOUSE]: "", [`${POSTGRES}_FILE`]: "" }), none);
  });

  it("reads URLs from variables, or from files with a trailing line feed", () => {
    const postgresUrl = `postgresql://shop:${SECRET}@db/shop?sslmode=verify-full`;
    const clickhouseUrl = `https://shop:${SECRET}@ch:8443`;
    assertEquals(read({ [POSTGRES]: postgresUrl, [`${CLICKHOUSE}_FILE`]: file(`${clickhouseUrl}\n`) }), {
      postgresUrl,
      clickhouseUrl,
    });
  });

  const invalid: [name: string, environment: () => Record<string, string>, parts: string[]][] = [
    ["text that is not a URL", () => ({ [POSTGRES]: `shop ${SECRET}` }), [
      POSTGRES,
      "it is not a URL",
      "such as postgres://",
    ]],
    ["a wrong scheme", () => ({ [POSTGRES]: `mysql://u:${SECRET}@h/d` }), ["must begin with postgres://"]],
    ["ClickHouse's native port", () => ({ [CLICKHOUSE]: `clickhouse://u:${SECRET}@h:9000` }), [
      "must begin with http://",
    ]],
    ["a URL without a host", () => ({ [POSTGRES]: `postgres:///${SECRET}` }), ["has no host"]],
    ["a password that is not encoded", () => ({ [POSTGRES]: `postgres://u:${SECRET}#@h/d` }), ["Cannot use"]],
    ["a missing file", () => ({ [`${POSTGRES}_FILE`]: `${folder}/none` }), [
      "_FILE=",
      "there is no such file",
    ]],
    ["a folder instead of a file", () => ({ [`${POSTGRES}_FILE`]: folder }), ["it cannot be read"]],
    ["a URL instead of a file name", () => ({ [`${POSTGRES}_FILE`]: `postgres://u:${SECRET}@h/d` }), [
      "_FILE=postgres://…: there is no such file",
    ]],
    ["an unknown parameter", () => ({ [POSTGRES]: `postgres://u:${SECRET}@h/d?sslmod=x` }), [
      "the parameter sslmod in SALESFLOW_POSTGRES_URL",
    ]],
    ["a ClickHouse database", () => ({ [CLICKHOUSE]: `http://h/${SECRET}` }), [
      "the database in SALESFLOW_CLICKHOUSE_URL",
    ]],
    ["an empty file", () => ({ [`${POSTGRES}_FILE`]: file(" \n") }), ["the file is empty"]],
    ["a file without a URL", () => ({ [`${CLICKHOUSE}_FILE`]: file(SECRET) }), [
      "_FILE=",
      "it is not a URL",
    ]],
    [
      "a URL and a file",
      () => ({ [POSTGRES]: "postgres://h/d", [`${POSTGRES}_FILE`]: file("postgres://h/d") }),
      ["not both"],
    ],
  ];
  for (const [name, environment, parts] of invalid) {
    it(`rejects ${name} without showing it`, () => {
      const error = assertThrows(() => read(environment()), UsageError);
      for (const part of parts) assertStringIncludes(error.message, part);
      assert(!`${error.message}${error.remedy}`.includes(SECRET), error.message);
      assertEquals(error.exitCode, 2);
    });
  }

  it("lists all mistakes", () => {
    const error = assertThrows(
      () =>
        read({
          [POSTGRES]: `x${SECRET}`,
          [`${POSTGRES}_FILE`]: `${folder}/none`,
          [CLICKHOUSE]: `ftp://${SECRET}`,
        }),
      UsageError,
    );
    assertEquals(error.mistakes.length, 3);
    assert(!error.message.includes(SECRET));
  });

  it("never shows a part of an invalid URL", () => {
    const text = fc.tuple(
      fc.constantFrom("postgres://", "postgres:", "http://", "://", "", "postgres//", "POSTGRES://"),
      fc.constantFrom("", "user:", "user"),
      fc.constantFrom(
        SECRET,
        `${SECRET}/x`,
        `${SECRET}@`,
        `${SECRET}#@h/d`,
        `a[${SECRET}`,
        `${SECRET}%zz@h`,
        `:${SECRET}`,
      ),
      fc.string({ maxLength: 5 }),
    ).map((parts) => parts.join(""));
    fc.assert(
      fc.property(text, text, (postgres, clickhouse) => {
        try {
          read({ [POSTGRES]: postgres, [CLICKHOUSE]: clickhouse });
        } catch (error) {
          assert(error instanceof UsageError, String(error));
          assert(!`${error.stack}${error.remedy}`.includes(SECRET), error.message);
          assertEquals(error.cause, undefined);
        }
      }),
      { numRuns: 1_000 },
    );
  });
});
