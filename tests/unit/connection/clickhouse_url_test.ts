import { assert, assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { parseClickHouseUrl } from "../../../lib/connection/clickhouse_url.ts";
import { UsageError } from "../../../lib/console/errors.ts";

const SECRET = "pa-never-shown";

describe("parseClickHouseUrl()", () => {
  const cases: [string, { url: string; username: string; password: string; server: string }][] = [
    [
      "http://us%40er:p%3Aw@host",
      { url: "http://host:8123", username: "us@er", password: "p:w", server: "host:8123" },
    ],
    ["https://host/shop", {
      url: "https://host:8443",
      username: "default",
      password: "",
      server: "host:8443",
    }],
    ["http://[::1]:9000/", {
      url: "http://[::1]:9000",
      username: "default",
      password: "",
      server: "[::1]:9000",
    }],
  ];
  for (const [text, expected] of cases) {
    it(`parses ${text}`, () => {
      const { url, username, password, server } = parseClickHouseUrl(text);
      assertEquals({ url, username, password, server }, expected);
    });
  }

  const invalid: [text: string, message: string][] = [
    ["", "it is not a URL"],
    [`clickhouse://me:${SECRET}@host`, "must begin with http://"],
    [`http://me:${SECRET}@`, "it is not a URL"],
    [`http://me:${SECRET}%zz@host`, "two hexadecimal digits"],
    [`http://me@host/${SECRET}`, "the database"],
    [`https://shop:12/${SECRET}@ch:8443`, "an @ after the host"],
    [`https://shop:12\\${SECRET}@ch:8443`, "an @ after the host"],
    [`https://shop:12#${SECRET}@ch:8443`, "an @ after the host"],
    [`http://me:${SECRET}@host?sslmode=require`, "parameter sslmode"],
    [`http://me:${SECRET}@host?sslrootcert=/ca.pem`, "the URL is not https"],
    [`https://me:${SECRET}@host?sslrootcert=/${SECRET}.pem`, "the file of sslrootcert"],
  ];
  for (const [text, message] of invalid) {
    it(`rejects ${JSON.stringify(text)} without showing the password`, () => {
      const error = assertThrows(() => parseClickHouseUrl(text), UsageError, message);
      assertEquals(error.exitCode, 2);
      assert(!Deno.inspect(error).includes(SECRET));
    });
  }
});
