import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { findUnencryptedServers } from "../../../lib/connection/unencrypted_servers.ts";

const POSTGRES = "PostgreSQL at db.example:5432/shop (add sslmode=verify-full)";
const CLICKHOUSE = "ClickHouse at ch.example:8123 (use https://)";

describe("findUnencryptedServers()", () => {
  const cases: [postgresUrl: string, clickhouseUrl: string, found: string[]][] = [
    ["", "", []],
    ["postgres://me@db.example/shop", "http://ch.example", [POSTGRES, CLICKHOUSE]],
    ["postgres://me@db.example/shop?sslmode=disable", "https://ch.example", [POSTGRES]],
    ["postgres://me@db.example/shop?sslmode=require", "http://ch.example", [CLICKHOUSE]],
    ["postgres://me@localhost/shop", "http://127.0.0.1:8123", []],
    ["postgres://me@[::1]/shop", "http://[::1]:8123", []],
    ["postgres://me@db.example/shop?host=/run/postgresql", "http://ch.localhost", []],
    ["postgres://me@localhost/shop?host=db.example", "", [POSTGRES]],
    ["postgres://me@127.example/shop", "http://localhost.example", [
      "PostgreSQL at 127.example:5432/shop (add sslmode=verify-full)",
      "ClickHouse at localhost.example:8123 (use https://)",
    ]],
  ];
  for (const [postgresUrl, clickhouseUrl, found] of cases) {
    it(`returns ${found.length} for "${postgresUrl}" and "${clickhouseUrl}"`, () => {
      assertEquals(findUnencryptedServers({ postgresUrl, clickhouseUrl }), found);
    });
  }
});
