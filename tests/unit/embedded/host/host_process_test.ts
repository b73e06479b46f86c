import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { setTimeout as delay } from "node:timers/promises";
import { SalesflowError } from "../../../../lib/console/errors.ts";
import { exists } from "../../../../lib/embedded/files/exists.ts";
import { lockFile } from "../../../../lib/embedded/files/limited_wait.ts";
import { type HomeFiles, homeFiles } from "../../../../lib/embedded/host/home_files.ts";
import type { HostConfig } from "../../../../lib/embedded/host/host.ts";
import { hostCommand, spawnHost } from "../../../../lib/embedded/host/host_process.ts";

/** Limit for the exit of an aborted host; it usually takes milliseconds. */
const PATIENCE_MS = 10_000;

describe("hostCommand()", () => {
  const config: HostConfig = { home: "/home", engine: "postgres", path: "/engine" };

  it("runs the hidden subcommand when this is the executable", () => {
    assertEquals(hostCommand(config, true), [Deno.execPath(), "embedded-host", JSON.stringify(config)]);
  });

  it("runs Deno with the permissions of the engine when this runs from source", () => {
    const postgres = hostCommand(config, false);
    const clickhouse = hostCommand({ ...config, engine: "clickhouse" }, false);
    assertEquals(postgres.slice(0, 2), [Deno.execPath(), "run"]);
    assert(postgres.at(-2)!.endsWith("/lib/embedded/host/host_main.ts"), postgres.at(-2)!);
    assertEquals(postgres.at(-1), JSON.stringify(config));
    const only = (these: string[], those: string[]) =>
      these.slice(0, -2).filter((word) => !those.includes(word));
    assertEquals(only(postgres, clickhouse), ["--allow-run", "--allow-env=PATH", "--allow-sys=uid,gid"]);
    assertEquals(only(clickhouse, postgres), ["--allow-ffi"]);
    assert(postgres.includes("--ignore-env"));
  });
});

describe("spawnHost()", () => {
  let home: string;
  let files: HomeFiles;
  let config: HostConfig;
  beforeEach(async () => {
    home = await Deno.makeTempDir();
    files = homeFiles(home, "clickhouse");
    config = { home, engine: "clickhouse", path: `${home}/missing.so` };
    await Deno.mkdir(files.folder, { recursive: true });
  });
  afterEach(() => Deno.remove(home, { recursive: true }));

  it("rejects with the host's error when the server does not start", async () => {
    const error = await assertRejects(() => spawnHost(files, config, undefined), SalesflowError);
    assertStringIncludes(error.message, `The ClickHouse engine does not start on ${files.data}: `);
    assertEquals([error.exitCode, error.remedy], [1, `See the end of ${files.log} for the reason.`]);
    assertStringIncludes(await Deno.readTextFile(files.log), "failed: The ClickHouse engine does not start");
    assertEquals((await Deno.stat(files.log)).mode! & 0o777, 0o600);
  });

  it("rejects with exit code 75 and the process id when the server does not start in time", async () => {
    const error = await assertRejects(() => spawnHost(files, config, undefined, 0), SalesflowError);
    assertEquals([error.exitCode, error.message], [75, "The embedded clickhouse has not started within 0 s"]);
    assertMatch(error.remedy!, /Process \d+ is still starting it/);
    const log = () => Deno.readTextFile(files.log).catch(() => "");
    while (!(await log()).includes("failed")) await delay(1); // it writes to the folder until then
  });

  it("rejects with the signal's reason and leaves no host behind when it is aborted", async () => {
    const controller = new AbortController();
    const reason = new Error("enough");
    const starting = spawnHost(files, config, controller.signal).catch((error) => error);
    while (!await exists(files.log)) await delay(1); // the host's shell creates it
    controller.abort(reason);
    assertEquals(await starting, reason);
    (await lockFile(files.hostLock, { signal: AbortSignal.timeout(PATIENCE_MS) })).release();
  });
});
