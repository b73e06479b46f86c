import { assert, assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { UsageError } from "../../../lib/console/errors.ts";
import { parsePostgresUrl } from "../../../lib/connection/postgres_url.ts";

const SECRET = "pa-never-shown";

describe("parsePostgresUrl()", () => {
  it("returns all parts, percent-decoded", () => {
    const target = parsePostgresUrl("postgresql://us%40er:p%3A%2Fw@[::1]:6543/d%20b?connect_timeout=3");
    const { host, port, user, password, database, ssl, connectTimeoutMs, server } = target;
    assertEquals(
      { host, port, user, password, database, ssl, connectTimeoutMs, server },
      {
        host: "::1",
        port: 6543,
        user: "us@er",
        password: "p:/w",
        database: "d b",
        ssl: false,
        connectTimeoutMs: 3000,
        server: "::1:6543/d b",
      },
    );
  });

  it("returns defaults for missing parts", () => {
    const { host, port, database, password, connectTimeoutMs } = parsePostgresUrl("postgres://me@localhost");
    assertEquals([host, port, database, password, connectTimeoutMs], [
      "localhost",
      5432,
      "me",
      undefined,
      10_000,
    ]);
  });

  it("accepts the folder of a Unix socket as the host", () => {
    assertEquals(
      parsePostgresUrl("postgres://me@localhost/shop?host=/run/postgresql").host,
      "/run/postgresql",
    );
  });

  const modes: [string, boolean, boolean][] = [
    ["require", false, false],
    ["verify-ca", true, false],
    ["verify-full", true, true],
  ];
  for (const [mode, checksAuthority, checksName] of modes) {
    it(`${checksAuthority ? "verifies certificates" : "only encrypts"} with sslmode=${mode}`, () => {
      const { ssl } = parsePostgresUrl(`postgres://me@db/shop?sslmode=${mode}`);
      assert(ssl);
      assertEquals([ssl.rejectUnauthorized, ssl.checkServerIdentity === undefined], [
        checksAuthority,
        checksName,
      ]);
    });
  }

  const invalid: [text: string, messages: string[]][] = [
    [`mysql://me:${SECRET}@db/shop`, ["must begin with postgres://"]],
    [`postgres://me:${SECRET}@db:port/shop`, ["it is not a URL, such as postgres://user"]],
    [`not a url ${SECRET}`, ["it is not a URL"]],
    ["", ["it is not a URL"]],
    [`postgres:///${SECRET}`, ["it has no host"]],
    [`postgres://shop:12?${SECRET}@db/shop`, ["an @ after the host", "? as %3F"]],
    [`postgres://shop:12/${SECRET}@db/shop?${SECRET}=1`, ["an @ after the host"]],
    [`postgres://me@db/shop?12%26${SECRET}=x`, ["Cannot use a parameter in"]],
    [`postgres://:${SECRET}@db/shop`, ["has no user name"]],
    [`postgres://me:${SECRET}%zz@db/shop`, ["password", "two hexadecimal digits"]],
    [`postgres://me:${SECRET}@db/shop?sslmode=prefer`, ["sslmode", "verify-full"]],
    [`postgres://me:${SECRET}@db/shop?sslmod=require`, ["parameter sslmod"]],
    [`postgres://me:${SECRET}@db/shop?sslmode=verify-full&sslrootcert=/${SECRET}.pem`, [
      "the file of sslrootcert",
      "there is no such file",
    ]],
    [`postgres://me:${SECRET}@db/shop?connect_timeout=${SECRET}&sslmode=${SECRET}`, [
      "connect_timeout",
      "sslmode",
    ]],
  ];
  for (const [url, messages] of invalid) {
    it(`rejects ${JSON.stringify(url)} without showing the password`, () => {
      const error = assertThrows(() => parsePostgresUrl(url), UsageError);
      assertEquals(error.exitCode, 2);
      for (const part of messages) assert(error.message.includes(part), error.message);
      assert(!Deno.inspect(error).includes(SECRET));
    });
  }
});
