import { assertEquals, assertRejects } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { join } from "node:path";
import { rotateLog } from "../../../../lib/embedded/server/log_file.ts";

const LIMIT_BYTES = 4 * 1024 * 1024;

describe("rotateLog()", () => {
  let folder: string;
  let log: string;
  beforeEach(async () => {
    folder = await Deno.makeTempDir();
    log = join(folder, "server.log");
  });
  afterEach(() => Deno.remove(folder, { recursive: true }));

  async function writeLogOf(bytes: number): Promise<void> {
    await Deno.writeTextFile(log, "");
    await Deno.truncate(log, bytes);
  }

  it("keeps a log of 4 MiB", async () => {
    await writeLogOf(LIMIT_BYTES);
    await rotateLog(log);
    assertEquals((await Deno.stat(log)).size, LIMIT_BYTES);
  });

  it("renames a larger log, replacing the old one", async () => {
    await Deno.writeTextFile(`${log}.old`, "older");
    await writeLogOf(LIMIT_BYTES + 1);
    await rotateLog(log);
    await assertRejects(() => Deno.stat(log), Deno.errors.NotFound);
    assertEquals((await Deno.stat(`${log}.old`)).size, LIMIT_BYTES + 1);
  });

  it("does nothing when there is no log", () => rotateLog(log));
});

describe("writeLog()", () => {
  const module = import.meta.resolve("../../../../lib/embedded/server/log_file.ts");
  const program = `import { writeLog } from "${module}";
    writeLog("text, ");
    writeLog(new TextEncoder().encode("bytes"));
    console.log("done");`;

  async function run(script: string): Promise<[stdout: string, stderr: string]> {
    const { stdout, stderr } = await new Deno.Command("/bin/sh", {
      args: ["-c", script, "sh", Deno.execPath(), "eval", "--quiet", "--no-config", "--no-lock", program],
    }).output();
    const decoder = new TextDecoder();
    return [decoder.decode(stdout), decoder.decode(stderr)];
  }

  it("writes text and bytes to stderr", async () => {
    assertEquals(await run('exec "$@"'), ["done\n", "text, bytes"]);
  });

  // Other systems have no device that is always full.
  if (Deno.build.os === "linux") {
    it("drops the text when the disk is full", async () => {
      assertEquals(await run('exec "$@" 2>/dev/full'), ["done\n", ""]);
    });
  }
});
