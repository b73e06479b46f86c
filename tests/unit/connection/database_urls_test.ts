import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { databaseUrls } from "../../../lib/connection/database_urls.ts";
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
  return databaseUrls((name) => environment[name]);
}

function file(content: string): string {
  const path = `${folder}/${crypto.randomUUID()}`;
  Deno.writeTextFileSync(path, content);
  return path;
}

describe("databaseUrls()", () => {
  it("gives none when nothing is set, or set to nothing", () => {
    const none = { postgresUrl: undefined, clickhouseUrl: undefined };
    assertEquals(read({}), none);
    assertEquals(read({ [POSTGRES]: "", [CLICKHOUSE]: "", [`${POSTGRES}_FILE`]: "" }), none);
  });

  it("reads URLs from the environment or from files, whose line end does not count", () => {
    const postgresUrl = `postgresql://shop:${SECRET}@db/shop?sslmode=verify-full`;
    const clickhouseUrl = `https://shop:${SECRET}@ch:8443`;
    assertEquals(read({ [POSTGRES]: postgresUrl, [`${CLICKHOUSE}_FILE`]: file(`${clickhouseUrl}\n`) }), {
      postgresUrl,
      clickhouseUrl,
    });
  });

  const wrong: [what: string, environment: () => Record<string, string>, parts: string[]][] = [
    ["no URL", () => ({ [POSTGRES]: `shop ${SECRET}` }), [
      POSTGRES,
      "it is not a URL",
      "such as postgres://",
    ]],
    ["another scheme", () => ({ [POSTGRES]: `mysql://u:${SECRET}@h/d` }), ["must begin with postgres://"]],
    ["ClickHouse's native port", () => ({ [CLICKHOUSE]: `clickhouse://u:${SECRET}@h:9000` }), [
      "must begin with http://",
    ]],
    ["no host", () => ({ [POSTGRES]: `postgres:///${SECRET}` }), ["names no host"]],
    ["a password that is not encoded", () => ({ [POSTGRES]: `postgres://u:${SECRET}#@h/d` }), ["Cannot use"]],
    ["a file that is not there", () => ({ [`${POSTGRES}_FILE`]: `${folder}/none` }), [
      "_FILE=",
      "there is no such file",
    ]],
    ["a folder for a file", () => ({ [`${POSTGRES}_FILE`]: folder }), ["it cannot be read"]],
    ["a URL in place of a file", () => ({ [`${POSTGRES}_FILE`]: `postgres://u:${SECRET}@h/d` }), [
      "_FILE=postgres://…: there is no such file",
    ]],
    ["a parameter that nobody knows", () => ({ [POSTGRES]: `postgres://u:${SECRET}@h/d?sslmod=x` }), [
      "the parameter sslmod in SALESFLOW_POSTGRES_URL",
    ]],
    ["a database in ClickHouse", () => ({ [CLICKHOUSE]: `http://h/${SECRET}` }), [
      "the database in SALESFLOW_CLICKHOUSE_URL",
    ]],
    ["an empty file", () => ({ [`${POSTGRES}_FILE`]: file(" \n") }), ["the file is empty"]],
    ["a file with something else", () => ({ [`${CLICKHOUSE}_FILE`]: file(SECRET) }), [
      "_FILE=",
      "it is not a URL",
    ]],
    [
      "a URL and a file",
      () => ({ [POSTGRES]: "postgres://h/d", [`${POSTGRES}_FILE`]: file("postgres://h/d") }),
      ["not both"],
    ],
  ];
  for (const [what, environment, parts] of wrong) {
    it(`refuses ${what}, without showing it`, () => {
      const error = assertThrows(() => read(environment()), UsageError);
      for (const part of parts) assertStringIncludes(error.message, part);
      assert(!`${error.message}${error.remedy}`.includes(SECRET), error.message);
      assertEquals(error.exitCode, 2);
    });
  }

  it("names all mistakes at once", () => {
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

  it("never shows any of a URL, whatever is wrong with it", () => {
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
