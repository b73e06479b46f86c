import { assertEquals, assertRejects } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { join } from "node:path";
import { type EngineProgress, ensurePackage } from "../../../../lib/embedded/engines/engine_package.ts";
import { SalesflowError } from "../../../../lib/console/errors.ts";
import { FakeRegistry, tarballOf } from "./fake_registry.ts";

const SYMLINKS = [{ source: "native/lib/libpq.so.5.18", target: "native/lib/libpq.so.5" }];
const POSTGRES = {
  "package.json": "{}",
  "dist/index.js": "",
  "native/bin/postgres": "#!/bin/sh\n",
  "native/lib/libpq.so.5.18": "pq",
  "native/lib/libpq.a": "static",
  "native/lib/pkgconfig/libpq.pc": "",
  "native/pg-symlinks.json": JSON.stringify(SYMLINKS),
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

  it("unpacks the needed files, creates the symlinks and removes the tarball", async () => {
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

  it("downloads once when called concurrently and again", async () => {
    await Promise.all([ensure(), ensure()]);
    await ensure();
    assertEquals(registry.ranges.length, 1);
  });

  it("replaces what an interrupted attempt has unpacked", async () => {
    await Deno.mkdir(`${folder}.new/native`, { recursive: true });
    await Deno.writeTextFile(`${folder}.new/native/torn`, "");
    await ensure();
    assertEquals((await listing(folder)).includes("native/torn"), false);
  });

  it("reports its steps", async () => {
    const steps = new Set<string>();
    const onProgress = ({ engine, step }: EngineProgress) => steps.add(`${engine} ${step}`);
    await ensurePackage("postgres", registry.pinned, folder, { onProgress });
    assertEquals([...steps], ["postgres download", "postgres unpack"]);
  });

  it("throws SalesflowError and installs nothing when a symlink leaves its folder", async () => {
    const links = [{ source: "native/lib/libpq.so.5.18", target: "../../../evil" }];
    await registry.close();
    registry = new FakeRegistry(tarballOf({ ...POSTGRES, "native/pg-symlinks.json": JSON.stringify(links) }));
    Deno.env.set("npm_config_registry", registry.url);
    await assertRejects(ensure, SalesflowError, "unsafe symlink from");
    await assertRejects(() => Deno.stat(folder), Deno.errors.NotFound);
  });
});
