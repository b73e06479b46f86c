import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { join } from "node:path";
import { downloadTarball } from "../../../../lib/embedded/engines/download.ts";
import { SalesflowError } from "../../../../lib/console/errors.ts";
import { Disk } from "../../../faults/disk.ts";
import { FakeRegistry } from "./fake_registry.ts";

const CONTENT = crypto.getRandomValues(new Uint8Array(50_000));

describe("downloadTarball()", () => {
  let folder: string;
  let path: string;
  let registry: FakeRegistry;

  beforeEach(async () => {
    folder = await Deno.makeTempDir();
    path = join(folder, "engine.tgz");
    registry = new FakeRegistry(CONTENT);
  });

  afterEach(async () => {
    await registry.close();
    await Deno.remove(folder, { recursive: true });
  });

  const download = (signal?: AbortSignal) =>
    downloadTarball(registry.pinned, registry.request, path, { signal });

  it("writes the file and reports the bytes", async () => {
    const seen: [number, number][] = [];
    await downloadTarball(registry.pinned, registry.request, path, {
      onBytes: (...bytes) => seen.push(bytes),
    });
    assertEquals(await Deno.readFile(path), CONTENT);
    assertEquals(seen[0], [0, CONTENT.length]);
    assertEquals(seen.at(-1), [CONTENT.length, CONTENT.length]);
  });

  it("names the full disk as the cause, not the network", async () => {
    const disk = await Disk.mount(24);
    if (!disk) return; // only root can mount one
    try {
      const file = join(disk.folder, "engine.tgz");
      const error = await assertRejects(
        () => downloadTarball(registry.pinned, registry.request, file),
        SalesflowError,
      );
      assertEquals(error.exitCode, 75);
      assertStringIncludes(error.remedy!, "Free disk space");
    } finally {
      await disk.unmount();
    }
  });

  it("resumes where it stopped after the connection was closed", async () => {
    registry.behavior = { cut: 20_000 };
    const error = await assertRejects(() => download(), SalesflowError);
    assertEquals(error.exitCode, 75);
    assertStringIncludes(error.message, "stopped after 20000 bytes");
    registry.behavior = {};
    await download();
    assertEquals(registry.ranges, ["", "bytes=20000-"]);
    assertEquals(await Deno.readFile(path), CONTENT);
  });

  it("starts over when the registry ignores the range", async () => {
    await Deno.writeFile(path, CONTENT.subarray(0, 1_000));
    registry.behavior = { ignoreRange: true };
    await download();
    assertEquals(await Deno.readFile(path), CONTENT);
  });

  it("uses the complete file of an earlier attempt", async () => {
    await Deno.writeFile(path, CONTENT);
    await download();
    assertEquals(registry.ranges[0], `bytes=${CONTENT.length}-`);
    assertEquals(await Deno.readFile(path), CONTENT);
  });

  it("throws SalesflowError and removes the file when the content is not the pinned one", async () => {
    const pinned = { ...registry.pinned, integrity: "sha512-AAAA" };
    const error = await assertRejects(() => downloadTarball(pinned, registry.request, path), SalesflowError);
    assertEquals(error.exitCode, 1);
    assertStringIncludes(error.message, "expected sha512-AAAA, got sha512-");
    await assertRejects(() => Deno.stat(path), Deno.errors.NotFound);
  });

  const refusals: [status: number, exitCode: number][] = [
    [401, 1],
    [403, 1],
    [404, 1],
    [429, 75],
    [500, 75],
    [503, 75],
  ];
  for (const [status, exitCode] of refusals) {
    it(`throws SalesflowError with exit code ${exitCode} when the registry returns ${status}`, async () => {
      registry.behavior = { status };
      const error = await assertRejects(() => download(), SalesflowError);
      assertEquals(error.exitCode, exitCode);
      assertStringIncludes(error.message, String(status));
      assert(error.remedy);
    });
  }

  it("throws SalesflowError with exit code 75 when the registry cannot be reached", async () => {
    const { pinned, request } = registry;
    await registry.close();
    const error = await assertRejects(() => downloadTarball(pinned, request, path), SalesflowError);
    assertEquals(error.exitCode, 75);
    assertStringIncludes(error.message, "Cannot reach http://127.0.0.1");
  });

  it("rejects with the signal's reason when it is aborted", async () => {
    const reason = new Error("enough");
    const error = await assertRejects(() => download(AbortSignal.abort(reason)));
    assertEquals(error, reason);
  });
});
