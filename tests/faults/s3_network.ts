/**
 * Network faults between the command and a bucket (versitygw behind toxiproxy). The files must equal those of a run without
 * faults, or the command must exit with 75 and a remedy and publish nothing. No multipart upload may be left behind.
 */
import * as S3 from "@aws-sdk/client-s3";
import { Bucket } from "../integration/store/s3/versitygw.ts";
import { type Outcome, run, start, until } from "./command.ts";
import { FakeClock, NO_CLOCK } from "./fake_clock.ts";
import type { FaultResult } from "./result.ts";
import type { S3Fault } from "./s3_faults.ts";
import { folderChecksum } from "./state.ts";
import { type Route, Toxiproxy } from "./toxiproxy.ts";

const KEYS = { id: "keeper", secret: "faulty-s3-51c0" };
const PREFIX = "weekly";
const RUN_ID = "bucket";
const RUN = `runs/${RUN_ID}`;
const DATASETS = { generate: ["raw"], clean: ["rejected", "clean"] } as const;
/** One raw part of 25 MB, a multipart upload. */
const SALES = ["--rows", "600000", "--partitions", "1", "--seed", "1"];
const LIMITS = { SALESFLOW_RETRIES: "2", SALESFLOW_TIMEOUT_SECONDS: "5" };
/** Longer than any fault may take with these limits. */
const HANG_TIMEOUT_MS = 120_000;
/** Age at which a lease has expired. The test changes the file's modification time instead of waiting. */
const EXPIRED_LEASE_MS = 61_000;

/** A bucket behind a faulty network. */
export class BadBucket {
  readonly #bucket: Bucket;
  readonly #proxy: Toxiproxy;
  readonly #route: Route;
  readonly #client: S3.S3Client;
  readonly #env: Record<string, string>;
  readonly #expected: Record<string, string> = {};

  private constructor(bucket: Bucket, proxy: Toxiproxy, route: Route) {
    this.#bucket = bucket;
    this.#proxy = proxy;
    this.#route = route;
    this.#env = {
      AWS_ACCESS_KEY_ID: KEYS.id,
      AWS_SECRET_ACCESS_KEY: KEYS.secret,
      AWS_REGION: "us-east-1",
      SALESFLOW_S3_ENDPOINT: bucket.endpoint,
      SALESFLOW_STORE: `s3://${Bucket.NAME}/${PREFIX}`,
    };
    this.#client = new S3.S3Client({
      endpoint: bucket.endpoint,
      region: "us-east-1",
      forcePathStyle: true,
      credentials: { accessKeyId: KEYS.id, secretAccessKey: KEYS.secret },
    });
  }

  /** Starts server and proxy, and makes the reference run. @param paths paths of both programs */
  static async prepare(paths: { versitygw: string; toxiproxy: string }): Promise<BadBucket> {
    const bucket = await Bucket.start(paths.versitygw, KEYS);
    const proxy = await Toxiproxy.start(paths.toxiproxy);
    const bad = new BadBucket(bucket, proxy, await proxy.addRoute("s3", bucket.endpoint));
    try {
      for (const stage of ["generate", "clean"] as const) {
        const { code, stderr } = await bad.#runStage(stage);
        if (code !== 0) throw new Error(`the run without faults failed: ${stderr}`);
        Object.assign(bad.#expected, bad.#checksums(stage));
      }
      return bad;
    } catch (error) {
      await bad.close();
      throw error;
    }
  }

  /** Stops proxy and server. */
  async close(): Promise<void> {
    this.#client.destroy();
    await this.#proxy.close();
    await this.#bucket.close();
  }

  #args(stage: S3Fault["stage"]): string[] {
    const run = [stage, "--run-id", RUN_ID, "--as-of", "2026-11-24"];
    return stage === "generate" ? [...run, ...SALES] : run;
  }

  #runStage(stage: S3Fault["stage"]): Promise<Outcome> {
    return run(this.#args(stage), { ...this.#env, ...LIMITS });
  }

  /** Returns the file in which the server stores an object. */
  #fileOf(path: string): string {
    return this.#bucket.fileOf(`${PREFIX}/${RUN}/${path}`);
  }

  /** Returns a checksum per dataset. */
  #checksums(stage: S3Fault["stage"]): Record<string, string> {
    return Object.fromEntries(DATASETS[stage].map((name) => [name, folderChecksum(this.#fileOf(name))]));
  }

  async #remove(name: string): Promise<void> {
    const Prefix = `${PREFIX}/${RUN}/${name}/`;
    const { Contents = [] } = await this.#client.send(
      new S3.ListObjectsV2Command({ Bucket: Bucket.NAME, Prefix }),
    );
    for (const { Key } of Contents) {
      await this.#client.send(new S3.DeleteObjectCommand({ Bucket: Bucket.NAME, Key: Key! }));
    }
  }

  async #listUploads(): Promise<string[]> {
    const found = await this.#client.send(new S3.ListMultipartUploadsCommand({ Bucket: Bucket.NAME }));
    return (found.Uploads ?? []).map(({ Key }) => Key!);
  }

  /** Returns whether the stage is transferring data. */
  async #isTransferring(stage: S3Fault["stage"]): Promise<boolean> {
    if (stage === "generate") return (await this.#listUploads()).length > 0;
    return JSON.parse(await Deno.readTextFile(this.#fileOf("stages/clean.json"))).status === "running";
  }

  /** Runs the stage with the fault; `undefined` if it hangs. */
  async #runWithFault(fault: S3Fault): Promise<Outcome | undefined> {
    for (const toxic of fault.toxics) await this.#proxy.addToxic(this.#route, toxic);
    if (fault.shut) await this.#proxy.disable(this.#route);
    let restoring: Promise<void> | undefined;
    const env = { ...this.#env, ...LIMITS, SALESFLOW_S3_ENDPOINT: this.#route.url };
    const running = start(this.#args(fault.stage), env, (text) => {
      if (fault.until === "next try" && text.includes("retrying")) {
        restoring ??= this.#proxy.replaceRoute(this.#route);
      }
    });
    let ended = false;
    running.outcome.then(() => ended = true);
    if (fault.blackHole) {
      await until(async () => ended || await this.#isTransferring(fault.stage), HANG_TIMEOUT_MS);
      await new Promise((resolve) => setTimeout(resolve, 300));
      this.#proxy.suspend();
    }
    const inTime = await until(() => ended, HANG_TIMEOUT_MS);
    if (!inTime) running.child.kill("SIGKILL");
    const outcome = await running.outcome;
    await restoring;
    await this.#proxy.replaceRoute(this.#route);
    return inTime ? outcome : undefined;
  }

  /** Runs the stage without faults. After a black hole the old lease still exists, and rejects it for up to a minute. */
  async #rerun(stage: S3Fault["stage"]): Promise<{ wrong: string[]; rejected: boolean }> {
    let { code, stderr } = await this.#runStage(stage);
    const rejected = code === 75 && stderr.includes("Another salesflow command");
    if (rejected) {
      const expired = new Date(Date.now() - EXPIRED_LEASE_MS);
      await Deno.utime(this.#fileOf(".lock-run"), expired, expired);
      ({ code, stderr } = await this.#runStage(stage));
    }
    return { rejected, wrong: code === 0 ? [] : [`the next run exited with ${code}: ${stderr.slice(-600)}`] };
  }

  /** The local clock is ahead of the bucket's: a held lease must not count as expired. */
  async wrongClock(): Promise<FaultResult> {
    const fault =
      "this machine's clock is ten minutes ahead of the bucket's while another command holds the run";
    const clock = await FakeClock.create();
    if (!clock) return { fault, tried: 0, outcome: "", wrong: [], skipped: NO_CLOCK };
    const wrong: string[] = [];
    const lock = { Bucket: Bucket.NAME, Key: `${PREFIX}/${RUN}/.lock-run` };
    await this.#client.send(new S3.PutObjectCommand({ ...lock, Body: "{}" }));
    clock.set(600);
    const env = { ...this.#env, ...LIMITS, ...clock.env };
    const rejected = await run(this.#args("clean"), env);
    if (rejected.code !== 75 || !rejected.stderr.includes("Another salesflow command")) {
      wrong.push(`it exited with ${rejected.code}: ${rejected.stderr.slice(-400)}`);
    }
    await this.#client.send(new S3.DeleteObjectCommand(lock));
    const done = await run(this.#args("clean"), env);
    if (done.code !== 0) wrong.push(`later it exited with ${done.code}: ${done.stderr.slice(-400)}`);
    await clock.remove();
    return { fault, tried: 1, outcome: "rejected with 75; succeeds once the other is done", wrong };
  }

  /** Tests a fault. If the command fails as expected, runs it again without faults. */
  async try(fault: S3Fault): Promise<FaultResult> {
    const { stage } = fault;
    const wrong: string[] = [];
    for (const name of DATASETS[stage]) await this.#remove(name);
    const started = performance.now();
    const outcome = await this.#runWithFault(fault);
    const seconds = ((performance.now() - started) / 1000).toFixed(0);
    const tries = outcome?.stderr.split("retrying").length ?? 1;
    let result = tries > 1 ? "correct files after a retry" : "correct files";
    if (!outcome) wrong.push(`it hung for ${seconds} s`);
    else if (fault.expects === "done") {
      if (outcome.code !== 0) wrong.push(`it exited with ${outcome.code}: ${outcome.stderr.slice(-600)}`);
      if (fault.until === "next try" && tries === 1) wrong.push("the fault did not affect it");
    } else {
      if (outcome.code !== 75) wrong.push(`it exited with ${outcome.code}: ${outcome.stderr.slice(-600)}`);
      if (!outcome.stderr.includes("Check that SALESFLOW_S3_ENDPOINT can be reached")) {
        wrong.push(`no remedy: ${outcome.stderr.slice(-600)}`);
      }
      for (const name of DATASETS[stage]) {
        const manifest = this.#fileOf(`${name}/manifest.json`);
        if (await Deno.stat(manifest).then(() => true, () => false)) wrong.push(`${name} was published`);
      }
      const again = await this.#rerun(stage);
      wrong.push(...again.wrong);
      result = `exited with 75, nothing published; ${
        again.rejected ? "rejected with 75 until the lease expired, then " : ""
      }correct files on the next run`;
    }
    if (outcome?.code === 0 || fault.expects === "given up") {
      const found = this.#checksums(stage);
      const differ = Object.keys(found).filter((name) => found[name] !== this.#expected[name]);
      wrong.push(...differ.map((name) => `${name} differs`));
    }
    const uploads = await this.#listUploads();
    if (uploads.length > 0) wrong.push(`unfinished uploads remain: ${uploads.join(", ")}`);
    return { fault: fault.name, tried: 1, outcome: `${result} (${seconds} s)`, wrong };
  }
}
