import { assertEquals, assertRejects } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { join } from "node:path";
import { exists } from "../../../../lib/embedded/files/exists.ts";

describe("exists()", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await Deno.makeTempDir();
  });
  afterEach(() => Deno.remove(folder, { recursive: true }));

  it("returns true for a folder, a file and a dangling link", async () => {
    const [file, link] = [join(folder, "file"), join(folder, "link")];
    await Deno.writeTextFile(file, "");
    await Deno.symlink(join(folder, "missing"), link);
    for (const path of [folder, file, link]) assertEquals(await exists(path), true, path);
  });

  it("returns false when nothing has this name", async () => {
    assertEquals(await exists(join(folder, "missing", "below")), false);
  });

  it("throws when the path leads through a file", async () => {
    const file = join(folder, "file");
    await Deno.writeTextFile(file, "");
    await assertRejects(() => exists(join(file, "below")), Deno.errors.NotADirectory);
  });
});
