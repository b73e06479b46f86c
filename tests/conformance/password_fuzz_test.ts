/** Thousands of malformed addresses with a password in them: no error of any reader shows it. */
import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { z } from "zod";
import { defineCommand, parseCommandLine } from "../../cli/command.ts";
import { parseClickHouseUrl } from "../../lib/connection/clickhouse_url.ts";
import { readDatabaseUrls } from "../../lib/connection/database_urls.ts";
import { UsageError } from "../../lib/console/errors.ts";
import { parsePostgresUrl } from "../../lib/connection/postgres_url.ts";
import { readS3Settings } from "../../lib/store/s3/settings.ts";
import { openStore } from "../../lib/store/open_store.ts";

const SECRET = "Geheim42";

/** Pieces of passwords that are not percent-encoded, as users may paste them. */
const PIECES = [
  ...["", "1", "12", "a", "/", "//", "?", "#", "@", ":", "&", "=", "%", "%zz", "%2", "\\", " ", "\t", "\n"],
  ...["[", "]", "\0", "é", "?sslmode=", "?connect_timeout=", "?sslrootcert=", "?a=", "?host=", "&x=", "://"],
];
const piece = fc.constantFrom(...PIECES);
const around = fc.array(piece, { maxLength: 3 }).map((pieces) => pieces.join(""));
const user = fc.oneof(fc.constantFrom("shop", "shop:", "me@example:", ":", "shop@h:"), around);
const rest = fc.constantFrom(
  "@host",
  "@host/shop",
  "@host:1/default",
  "@bucket/p",
  "@[::1]/x",
  "@",
  "@h/d?a=b",
);
const starts = [
  ...["postgres://", "postgresql://", "POSTGRES://", "http://", "https://", "s3://", "s3a://", "S3://"],
  ...["file://", "file:///", "ftp://", "postgres:", "s3:", "http//", ""],
];
const password = fc.tuple(around, fc.constant(SECRET), around).map((pieces) => pieces.join(""));
const address = fc.tuple(fc.constantFrom(...starts), user, password, rest)
  .map((parts) => parts.join(""));

const echo = defineCommand({
  name: "echo",
  summary: "Does nothing",
  options: {
    rows: {
      help: "Rows",
      placeholder: "N",
      schema: z.string().regex(/^\d+$/, "it must be a number").optional(),
    },
  },
  run: () => Promise.resolve(),
});

/** Functions that accept addresses; the errors of rejected ones are checked. */
const readers: [name: string, read: (text: string) => unknown][] = [
  ["parsePostgresUrl()", (text) => parsePostgresUrl(text)],
  ["parseClickHouseUrl()", (text) => parseClickHouseUrl(text)],
  ["readDatabaseUrls()", (text) => readDatabaseUrls((name) => /URL$/.test(name) ? text : undefined)],
  [
    "readDatabaseUrls() with a file",
    (text) => readDatabaseUrls((name) => /URL_FILE$/.test(name) ? text : undefined),
  ],
  ["openStore()", (text) => openStore(text, () => undefined)],
  ["readS3Settings()", (text) => readS3Settings(() => text)],
  ["parseCommandLine() with a value", (text) => parseCommandLine(echo, [`--rows=${text}`], () => undefined)],
  ["parseCommandLine() with an argument", (text) => parseCommandLine(echo, ["--", text], () => undefined)],
  ["parseCommandLine() with a flag", (text) => parseCommandLine(echo, [`--x://${text}`], () => undefined)],
];

describe("addresses that contain a password", () => {
  for (const [name, read] of readers) {
    it(`${name} throws only UsageErrors, and none that contains the password`, () => {
      let rejected = 0;
      const property = fc.property(address, (text) => {
        try {
          read(text);
        } catch (error) {
          assert(error instanceof UsageError, `${error}`);
          const shown = `${Deno.inspect(error)} ${error.remedy}`;
          assert(!shown.includes(SECRET), shown);
          assertEquals([error.exitCode, error.cause], [2, undefined]);
          rejected++;
        }
      });
      fc.assert(property, { numRuns: 3_000, seed: 20261124 });
      assert(rejected > 500, `${rejected} rejected`);
    });
  }

  it("parsePostgresUrl() and parseClickHouseUrl() return server names without the password", () => {
    const addresses = fc.tuple(
      fc.constantFrom(...starts),
      fc.constantFrom("shop:", "me@example:"),
      password,
      rest,
    );
    const property = fc.property(addresses.map((parts) => parts.join("")), (text) => {
      for (const parse of [parsePostgresUrl, parseClickHouseUrl]) {
        try {
          const { server } = parse(text);
          assert(!server.includes(SECRET), `${text} => ${server}`);
        } catch (error) {
          assert(error instanceof UsageError, `${error}`);
        }
      }
    });
    fc.assert(property, { numRuns: 5_000, seed: 20261124 });
  });
});
