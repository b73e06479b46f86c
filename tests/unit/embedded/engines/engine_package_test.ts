import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { join } from "node:path";
import { type EngineProgress, ensurePackage } from "../../../../lib/embedded/engines/engine_package.ts";
import { ensureEngines } from "../../../../lib/embedded/engines/engines.ts";
import { SalesflowError } from "../../../../lib/console/errors.ts";
import { FakeRegistry, tarballOf } from "./fake_registry.ts";

const LINKS = [{ source: "native/lib/libpq.so.5.18", target: "native/lib/libpq.so.5" }];
const POSTGRES = {
  "package.json": "{}",
  "dist/index.js": "",
  "native/bin/postgres": "#!/bin/sh\n",
  "native/lib/libpq.so.5.18": "pq",
  "native/lib/libpq.a": "static",
  "native/lib/pkgconfig/libpq.pc": "",
  "native/pg-symlinks.json": JSON.stringify(LINKS),
};

async function listing(folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (!isDirectory) found.push(name);
    else found.push(...(await listing(join(folder, name))).map((inner) => `${name}/${inner}`));
  }
  return found.sort();
}

describe("ensurePackage()", () => {
  let cache: string;
  let folder: string;
  let registry: FakeRegistry;
  let registryBefore: string | undefined;

  beforeEach(async () => {
    cache = await Deno.makeTempDir();
    folder = join(cache, "engines", "engine-1.0.0");
    registry = new FakeRegistry(tarballOf(POSTGRES));
    registryBefore = Deno.env.get("npm_config_registry");
    Deno.env.set("npm_config_registry", registry.url);
  });

  afterEach(async () => {
    if (registryBefore === undefined) Deno.env.delete("npm_config_registry");
    else Deno.env.set("npm_config_registry", registryBefore);
    await registry.close();
    await Deno.remove(cache, { recursive: true });
  });

  const ensure = () => ensurePackage("postgres", registry.pinned, folder);

  it("unpacks what is needed, makes the links and keeps nothing else", async () => {
    await ensure();
    assertEquals(await listing(folder), [
      "native/bin/postgres",
      "native/lib/libpq.so.5",
      "native/lib/libpq.so.5.18",
      "native/pg-symlinks.json",
    ]);
    assertEquals(await Deno.readTextFile(join(folder, "native/lib/libpq.so.5")), "pq");
    assertEquals(
      await listing(join(cache, "engines")).then((all) => all.filter((name) => name.includes("tgz"))),
      [],
    );
  });

  it("downloads once when two ask at the same time, and never again", async () => {
    await Promise.all([ensure(), ensure()]);
    await ensure();
    assertEquals(registry.ranges.length, 1);
  });

  it("replaces what an interrupted attempt unpacked", async () => {
    await Deno.mkdir(`${folder}.new/native`, { recursive: true });
    await Deno.writeTextFile(`${folder}.new/native/torn`, "");
    await ensure();
    assertEquals((await listing(folder)).includes("native/torn"), false);
  });

  it("tells its steps", async () => {
    const steps = new Set<string>();
    const onProgress = ({ engine, step }: EngineProgress) => steps.add(`${engine} ${step}`);
    await ensurePackage("postgres", registry.pinned, folder, { onProgress });
    assertEquals([...steps], ["postgres download", "postgres unpack"]);
  });

  it("throws and puts nothing in place when a link leads elsewhere", async () => {
    const links = [{ source: "native/lib/libpq.so.5.18", target: "../../../evil" }];
    await registry.close();
    registry = new FakeRegistry(tarballOf({ ...POSTGRES, "native/pg-symlinks.json": JSON.stringify(links) }));
    Deno.env.set("npm_config_registry", registry.url);
    await assertRejects(ensure, SalesflowError, "a link leads from");
    await assertRejects(() => Deno.stat(folder), Deno.errors.NotFound);
  });
});

describe("ensureEngines()", () => {
  it("throws SalesflowError when the registry has other content than the pinned one", async () => {
    const cache = await Deno.makeTempDir();
    const registry = new FakeRegistry(tarballOf(POSTGRES));
    const before = Deno.env.get("npm_config_registry");
    Deno.env.set("npm_config_registry", registry.url);
    try {
      const error = await assertRejects(
        () => ensureEngines({ engines: ["postgres"], cache }),
        SalesflowError,
      );
      assertEquals(error.exitCode, 1);
      assertStringIncludes(error.message, "as pinned: expected sha512-");
    } finally {
      if (before === undefined) Deno.env.delete("npm_config_registry");
      else Deno.env.set("npm_config_registry", before);
      await registry.close();
      await Deno.remove(cache, { recursive: true });
    }
  });

  it("throws SalesflowError with a remedy when the cache cannot be written", async () => {
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
