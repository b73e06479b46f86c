import * as S3 from "@aws-sdk/client-s3";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { type Embedded, startEmbedded } from "../../../../lib/embedded/embedded.ts";
import { openDataset, readManifest } from "../../../../lib/dataset/dataset.ts";
import { removeStoredRun } from "../../../../lib/prune/stored_runs.ts";
import { lockRun } from "../../../../lib/store/run_lock.ts";
import { openStore } from "../../../../lib/store/open_store.ts";
import type { Store } from "../../../../lib/store/store.ts";
import { run, start, until } from "../../../faults/command.ts";
import { goTool, VERSITYGW } from "../../../faults/go_tool.ts";
import { Bucket } from "./versitygw.ts";

const KEYS = { id: "keeper", secret: "marked-s3-77ab" };
const STORE = `s3://${Bucket.NAME}/weekly`;
const tool = await goTool(VERSITYGW);

/** The service is built with Go; without it, the tests are skipped. */
const suite = tool ? describe : describe.skip;

suite("S3Store on versitygw", () => {
  let bucket: Bucket;
  let embedded: Embedded;
  let folder: string;
  let store: Store;
  let client: S3.S3Client;
  let env: Record<string, string>;
  const locate = (key: string) => ({ Bucket: Bucket.NAME, Key: `weekly/${key}` });
  const uploads = async () =>
    (await client.send(new S3.ListMultipartUploadsCommand({ Bucket: Bucket.NAME }))).Uploads ?? [];
  /** Starts an upload and does not finish it, like a killed command. */
  async function leaveUpload(key: string): Promise<void> {
    const { UploadId } = await client.send(new S3.CreateMultipartUploadCommand(locate(key)));
    await client.send(new S3.UploadPartCommand({ ...locate(key), UploadId, PartNumber: 1, Body: "half" }));
  }

  beforeAll(async () => {
    folder = await Deno.makeTempDir({ prefix: "salesflow-s3-home-" });
    bucket = await Bucket.start(tool!, KEYS);
    embedded = await startEmbedded(join(folder, "home")); // shared by the commands
    env = {
      SALESFLOW_S3_ENDPOINT: bucket.endpoint,
      AWS_ACCESS_KEY_ID: KEYS.id,
      AWS_SECRET_ACCESS_KEY: KEYS.secret,
      AWS_REGION: "us-east-1",
      SALESFLOW_STORE: STORE,
      SALESFLOW_HOME: join(folder, "home"),
    };
    for (const [name, value] of Object.entries(env)) Deno.env.set(name, value);
    store = openStore(STORE);
    client = new S3.S3Client({
      endpoint: bucket.endpoint,
      region: "us-east-1",
      forcePathStyle: true,
      credentials: { accessKeyId: KEYS.id, secretAccessKey: KEYS.secret },
    });
  });
  afterAll(async () => {
    client.destroy();
    for (const name of Object.keys(env)) Deno.env.delete(name);
    await bucket.close();
    await embedded.close();
    await Deno.remove(folder, { recursive: true });
  });

  it("reads and writes small objects, and lists and removes folders", async () => {
    assertEquals(await store.readText("a/none"), undefined);
    assertEquals(await store.size("a/none"), undefined);
    assertEquals([await store.stat("a/none"), await store.stat("a")], [undefined, undefined]);
    const beforeMs = Date.now();
    for (const name of ["a/one", "a/two", "a/deep/three", "ab/four"]) {
      await store.writeText(name, `in ${name}`);
    }
    assertEquals(await store.readText("a/deep/three"), "in a/deep/three");
    assertEquals(await store.list("a"), ["deep", "one", "two"]);
    const root = await store.list("");
    assertEquals(["a", "ab", "a/one", ""].map((name) => root.includes(name)), [true, true, false, false]);
    assertEquals(await openStore(`${STORE}/a`).list(""), ["deep", "one", "two"]);
    const state = (await store.stat("a/deep/three"))!;
    assertEquals(state.size, "in a/deep/three".length);
    // In whole seconds.
    assert(Math.abs(state.modifiedAt.getTime() - beforeMs) < 60_000);
    assertEquals(new TextDecoder().decode(await store.read("a/one", 3, 5)), "a/");
    assertEquals((await store.read("a/one", 100, 105)).length, 0);
    assertEquals(await store.folderSize("a"), "in a/onein a/twoin a/deep/three".length);
    assertEquals(await store.folderSize("none"), 0);
    await store.remove("a");
    assertEquals([await store.list("a"), await store.list("ab")], [[], ["four"]]);
  });

  it("create() uploads a file in several parts, which becomes visible when it is complete", async () => {
    const writer = await store.create("big/part");
    const [written, chunk] = [createHash("sha256"), new Uint8Array(1_000_003)];
    for (let number = 0; number < 40; number++) {
      chunk.fill(number);
      written.update(chunk);
      await writer.write(chunk);
    }
    assertEquals(await store.size("big/part"), undefined);
    await writer.close();
    assertEquals(await store.size("big/part"), 40 * chunk.length);
    const read = createHash("sha256");
    for await (const bytes of await store.stream("big/part")) read.update(bytes);
    assertEquals(read.digest("hex"), written.digest("hex"));
    const [start, end] = [39 * chunk.length - 2, 39 * chunk.length + 2];
    assertEquals([...await store.read("big/part", start, end)], [38, 38, 39, 39]);
  });

  it("abort() removes the parts of an upload", async () => {
    const writer = await store.create("aborted/part");
    for (let number = 0; number < 20; number++) await writer.write(new Uint8Array(1_000_000));
    await writer.abort();
    assertEquals(await store.size("aborted/part"), undefined);
    assertEquals(await uploads(), []);
  });

  it("lock() returns undefined while the lock is held", async () => {
    const first = await store.lock("locks/run");
    assert(first);
    assertEquals(await store.lock("locks/run"), undefined);
    await first.release();
    const second = await store.lock("locks/run");
    assert(second);
    await second.release();
  });

  it("lock() takes over only a lock that has not been renewed for a minute", async () => {
    const path = bucket.fileOf("weekly/locks/left");
    const setRenewed = (secondsAgo: number) => {
      const time = new Date(Date.now() - 1000 * secondsAgo);
      return Deno.utime(path, time, time);
    };
    const left = await store.lock("locks/left");
    assert(left);
    await setRenewed(50);
    assertEquals(await store.lock("locks/left"), undefined);
    await setRenewed(70);
    const taken = await store.lock("locks/left");
    assert(taken);
    await taken.release();
    await left.release();
  });

  it("sweep() aborts unfinished uploads in a folder and its subfolders, except those to keep", async () => {
    for (const key of ["many/deep/part", "many/part", "many/raw/part", "manyfold/part"]) {
      await leaveUpload(key);
    }
    await store.sweep("many", (path) => path.startsWith("raw/"));
    assertEquals((await uploads()).map(({ Key }) => Key).sort(), [
      "weekly/many/raw/part",
      "weekly/manyfold/part",
    ]);
    for (const folder of ["many", "manyfold"]) await store.sweep(folder);
    assertEquals(await uploads(), []);
  });

  it("lock() returns several shared locks, but no exclusive one beside them", async () => {
    const shared = [
      await store.lock("locks/shared", { shared: true }),
      await store.lock("locks/shared", { shared: true }),
    ];
    for (const lock of shared) {
      assert(lock);
      assertEquals(await store.lock("locks/shared"), undefined);
      await lock.release();
    }
    const exclusive = await store.lock("locks/shared");
    assert(exclusive);
    assertEquals(await store.lock("locks/shared", { shared: true }), undefined);
    await exclusive.release();
    assertEquals((await store.list("locks")).filter((name) => name.startsWith("shared")), []);
  });

  it("a run is removed with its lock and its unfinished uploads, under the lock", async () => {
    for (const name of ["run.json", "raw/manifest.json", "raw/part-00000.csv", "stages/generate.json"]) {
      await store.writeText(`runs/old/${name}`, "x");
    }
    await leaveUpload("runs/old/clean/part-00000.csv");
    await store.writeText("runs/older/run.json", "x");
    const lock = await lockRun(store, "old");
    await removeStoredRun(store, "old", lock);
    await lock.release();
    assertEquals([await store.list("runs/old"), await store.list("runs/older")], [[], ["run.json"]]);
    assertEquals((await uploads()).filter(({ Key }) => Key!.includes("runs/old/")), []);
    assertEquals(lock.lost.aborted, false);
    await store.remove("runs/older");
  });

  it("release() does not delete a lock that another owner has taken over", async () => {
    const left = await store.lock("locks/over");
    assert(left);
    const time = new Date(Date.now() - 70_000);
    await Deno.utime(bucket.fileOf("weekly/locks/over"), time, time);
    const taken = await store.lock("locks/over");
    assert(taken);
    await left.release();
    assertEquals(await store.lock("locks/over"), undefined);
    await taken.release();
    assertEquals(await store.size("locks/over"), undefined);
  });

  const args = ["run", "--run-id", "bucket", "--as-of", "2026-11-24", "--rows", "2000"];

  it("`run` writes the same datasets to a bucket as to a folder, and removes the uploads of a killed run", async () => {
    const first = await run(args, env);
    assertEquals(first.code, 0, first.stderr);
    assertStringIncludes((await store.readText("runs/bucket/report/report.html"))!, "<html");
    const written = await openDataset(store, "bucket", "clean");
    await leaveUpload("runs/bucket/clean/part-00007.csv");
    await leaveUpload("runs/bucket/raw/part-00000.csv");
    await leaveUpload("runs/bucket/.spark-clean/x/part");
    const again = await run(args, env);
    assertEquals(again.code, 0, again.stderr);
    assertEquals(await uploads(), []);
    assertEquals(await openDataset(store, "bucket", "clean"), written);
    const local = join(folder, "local");
    const inFolder = await run([...args, "--to", "clean"], { ...env, SALESFLOW_STORE: local });
    assertEquals(inFolder.code, 0, inFolder.stderr);
    assertEquals(await readManifest(openStore(local), "bucket", "clean"), written);
  });

  it("`verify` aborts the uploads of killed shards and of Spark, but is refused while a shard is running", async () => {
    const left = ["raw/part-00000.csv", "clean/part-00000.csv", ".spark-clean-1/x/part"];
    for (const name of left) await leaveUpload(`runs/bucket/${name}`);
    const shard = await store.lock("runs/bucket/.lock-run", { shared: true });
    assert(shard);
    const early = await run(["verify", "--run-id", "bucket"], env);
    assertEquals([early.code, (await uploads()).length], [75, left.length], early.stderr);
    await shard.release();
    const { code, stderr } = await run(["verify", "--run-id", "bucket"], env);
    assertEquals([code, await uploads()], [0, []], stderr);
  });

  it("`generate` writes the same dataset in two concurrent shards as without shards", async () => {
    const generate = (id: string, ...shard: string[]) =>
      run(["generate", "--run-id", id, "--as-of", "2026-11-24", "--rows", "3000", ...shard], env);
    const outcomes = await Promise.all([
      generate("shards", "--shard", "1/2"),
      generate("shards", "--shard", "2/2"),
      generate("unsharded"),
    ]);
    for (const { code, stderr } of outcomes) assertEquals(code, 0, stderr);
    const [sharded, unsharded] = [
      await openDataset(store, "shards", "raw"),
      await openDataset(store, "unsharded", "raw"),
    ];
    assertEquals([sharded.fingerprint, sharded.rows], [unsharded.fingerprint, unsharded.rows]);
    assertEquals(await uploads(), []);
  });

  it("commands end with 75 while another command holds the run", async () => {
    const lock = await store.lock("runs/bucket/.lock-run");
    assert(lock);
    const shard = ["generate", "--run-id", "bucket", "--as-of", "2026-11-24", "--shard", "1/2"];
    const outcomes = [await run(["clean", "--run-id", "bucket"], env), await run(shard, env)];
    await lock.release();
    for (const { code, stderr } of outcomes) {
      assertEquals(code, 75, stderr);
      assertStringIncludes(stderr, "Another salesflow command is working on run bucket");
    }
  });

  const failures: { name: string; env: Record<string, string>; code: number; message: string }[] = [
    {
      name: "the secret key is wrong",
      env: { AWS_SECRET_ACCESS_KEY: `${KEYS.secret}x` },
      code: 1,
      message: "rejected the credentials",
    },
    {
      name: "there is no such bucket",
      env: { SALESFLOW_STORE: "s3://nowhere/x" },
      code: 1,
      message: "no such bucket",
    },
    {
      name: "the service is down",
      env: { SALESFLOW_S3_ENDPOINT: "http://127.0.0.1:1", SALESFLOW_RETRIES: "1" },
      code: 75,
      message: "can be reached",
    },
  ];
  for (const { name, env: changes, code, message } of failures) {
    it(`\`generate\` reports that ${name}, without showing the secret key`, async () => {
      const { stdout, stderr, ...outcome } = await run(["generate", "--run-id", "x", "--rows", "100"], {
        ...env,
        ...changes,
      });
      assertStringIncludes(stderr, message);
      assertEquals(outcome.code, code, stderr);
      assert(!`${stdout}${stderr}`.includes(KEYS.secret));
    });
  }

  it("`generate` ends with 75 when another owner takes over its lock, and leaves lock and record unchanged", async () => {
    const args = ["generate", "--run-id", "lost", "--rows", "200000000", "--workers", "1"];
    const running = start(args, env);
    const record = "runs/lost/stages/generate.json";
    assert(await until(async () => await store.size(record) !== undefined, 60_000));
    const otherLease = JSON.stringify({ owner: "another" });
    await store.writeText("runs/lost/.lock-run", otherLease);
    const { code, stderr } = await running.outcome;
    assertEquals(code, 75, stderr);
    assertStringIncludes(stderr, "Lost the lock on run lost");
    assertStringIncludes(stderr, "another command took it over");
    assertEquals(await store.readText("runs/lost/.lock-run"), otherLease);
    assertEquals(JSON.parse((await store.readText(record))!).status, "running");
  });
});
