import { assert, assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { z } from "zod";
import { defineCommand, parseCommandLine } from "../../../cli/command.ts";
import { parseClickHouseUrl } from "../../../lib/connection/clickhouse_url.ts";
import { databaseUrls } from "../../../lib/connection/database_urls.ts";
import { UsageError } from "../../../lib/console/errors.ts";
import { maskUrl } from "../../../lib/connection/mask_url.ts";
import { parsePostgresUrl } from "../../../lib/connection/postgres_url.ts";
import { bucketService } from "../../../lib/store/s3/bucket_service.ts";
import { openStore } from "../../../lib/store/open_store.ts";

const SECRET = "Geheim42";

/** What a password may hold, as people paste it: not percent-encoded. */
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
  summary: "Takes nothing",
  options: {
    rows: {
      help: "Rows",
      placeholder: "N",
      schema: z.string().regex(/^\d+$/, "it must be a number").optional(),
    },
  },
  run: () => Promise.resolve(),
});

/** What is taken is never shown here; what is refused is shown by the error. */
const readers: [name: string, read: (text: string) => unknown][] = [
  ["parsePostgresUrl()", (text) => parsePostgresUrl(text)],
  ["parseClickHouseUrl()", (text) => parseClickHouseUrl(text)],
  ["databaseUrls()", (text) => databaseUrls((name) => /URL$/.test(name) ? text : undefined)],
  ["databaseUrls() for a file", (text) => databaseUrls((name) => /URL_FILE$/.test(name) ? text : undefined)],
  ["openStore()", (text) => openStore(text, () => undefined)],
  ["bucketService()", (text) => bucketService(() => text)],
  ["parseCommandLine() for a value", (text) => parseCommandLine(echo, [`--rows=${text}`], () => undefined)],
  ["parseCommandLine() for an argument", (text) => parseCommandLine(echo, ["--", text], () => undefined)],
  ["parseCommandLine() for a flag", (text) => parseCommandLine(echo, [`--x://${text}`], () => undefined)],
];

describe("an address with a password in it", () => {
  for (const [name, read] of readers) {
    it(`${name} shows the password in no error, wherever it ends up, and throws no other kind`, () => {
      let refused = 0;
      const property = fc.property(address, (text) => {
        try {
          read(text);
        } catch (error) {
          assert(error instanceof UsageError, `${error}`);
          const said = `${Deno.inspect(error)} ${error.remedy}`;
          assert(!said.includes(SECRET), said);
          assertEquals([error.exitCode, error.cause], [2, undefined]);
          refused++;
        }
      });
      fc.assert(property, { numRuns: 3_000, seed: 20261124 });
      assert(refused > 500, `${refused} refused`);
    });
  }

  it("parsePostgresUrl() and parseClickHouseUrl() name a server without the password when they take one", () => {
    const taken = fc.tuple(
      fc.constantFrom(...starts),
      fc.constantFrom("shop:", "me@example:"),
      password,
      rest,
    );
    const property = fc.property(taken.map((parts) => parts.join("")), (text) => {
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

describe("maskUrl()", () => {
  const cases: [text: string, shown: string][] = [
    ["gs://bucket/prefix", "gs://bucket/prefix"],
    ["data/2026", "data/2026"],
    ["2026-11-24T10:00", "2026-11-24T10:00"],
    ["50%", "50%"],
    ["https://key:pw@minio/b", "https://…"],
    ["S3://key:pw", "S3://…"],
    ["s3://bucket?secret=pw", "s3://…"],
    ["http//key:pw@minio", "…"],
    ["key:pw@minio/b", "…"],
  ];
  for (const [text, shown] of cases) {
    it(`shows ${text} as ${shown}`, () => assertEquals(maskUrl(text), shown));
  }
});

describe("bucketService()", () => {
  const read = (environment: Record<string, string>) => bucketService((name) => environment[name]);

  it("takes an endpoint and a region, and has a region by default", () => {
    assertEquals(read({}), { endpoint: undefined, region: "us-east-1" });
    assertEquals(read({ SALESFLOW_S3_ENDPOINT: "", AWS_REGION: "", AWS_DEFAULT_REGION: "eu-central-1" }), {
      endpoint: undefined,
      region: "eu-central-1",
    });
    assertEquals(read({ SALESFLOW_S3_ENDPOINT: "http://127.0.0.1:9000/", AWS_REGION: "RegionOne" }), {
      endpoint: "http://127.0.0.1:9000/",
      region: "RegionOne",
    });
  });

  for (
    const endpoint of [
      "http//minio",
      "ftp://minio",
      "minio:9000",
      "https://key:pw@minio",
      "https://",
      "http://m?x",
    ]
  ) {
    it(`refuses the endpoint ${endpoint}`, () => {
      const error = assertThrows(
        () => read({ SALESFLOW_S3_ENDPOINT: endpoint, AWS_REGION: "eu west" }),
        UsageError,
      );
      assertEquals(error.mistakes.map((mistake) => mistake.split(":")[0]), [
        "Cannot use SALESFLOW_S3_ENDPOINT",
        "Cannot use AWS_REGION",
      ]);
    });
  }
});
