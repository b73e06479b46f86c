/**
 * Faults of the network between the command and a bucket (versitygw behind toxiproxy): the files must be those of an undisturbed run, or the command gives up
 * with 75 and a remedy and has published nothing; no upload in parts stays behind.
 */
import * as S3 from "@aws-sdk/client-s3";
import { Bucket } from "../integration/store/s3/versitygw.ts";
import { type Outcome, run, start, until } from "./command.ts";
import { FalseClock, NO_CLOCK } from "./false_clock.ts";
import type { FaultResult } from "./result.ts";
import type { S3Fault } from "./s3_faults.ts";
import { folderChecksum } from "./state.ts";
import { Toxiproxy, type Way } from "./toxiproxy.ts";

const KEYS = { id: "keeper", secret: "faulty-s3-51c0" };
const PREFIX = "weekly";
const RUN_ID = "bucket";
const RUN = `runs/${RUN_ID}`;
const DATASETS = { generate: ["raw"], clean: ["rejected", "clean"] } as const;
/** One raw part of 25 MB: more than one part of an upload. */
const SALES = ["--rows", "600000", "--partitions", "1", "--seed", "1"];
const LIMITS = { SALESFLOW_RETRIES: "2", SALESFLOW_TIMEOUT_SECONDS: "5" };
/** Longer than any of the faults may take with these limits. */
const HANG_MS = 120_000;
/** A lease that was not renewed for so long is free; the harness turns the clock of the file instead of waiting. */
const OLD_LEASE_MS = 61_000;

/** A bucket behind a bad network. */
export class BadBucket {
  readonly #bucket: Bucket;
  readonly #proxy: Toxiproxy;
  readonly #way: Way;
  readonly #client: S3.S3Client;
  readonly #env: Record<string, string>;
  readonly #expected: Record<string, string> = {};

  private constructor(bucket: Bucket, proxy: Toxiproxy, way: Way) {
    this.#bucket = bucket;
    this.#proxy = proxy;
    this.#way = way;
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

  /** Starts service and proxy, and makes the undisturbed run. @param paths of the two programs */
  static async prepare(paths: { versitygw: string; toxiproxy: string }): Promise<BadBucket> {
    const bucket = await Bucket.start(paths.versitygw, KEYS);
    const proxy = await Toxiproxy.start(paths.toxiproxy);
    const bad = new BadBucket(bucket, proxy, await proxy.way("s3", bucket.endpoint));
    try {
      for (const stage of ["generate", "clean"] as const) {
        const { code, stderr } = await bad.#stage(stage);
        if (code !== 0) throw new Error(`the undisturbed run failed: ${stderr}`);
        Object.assign(bad.#expected, bad.#checksums(stage));
      }
      return bad;
    } catch (error) {
      await bad.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#client.destroy();
    await this.#proxy.close();
    await this.#bucket.close();
  }

  #args(stage: S3Fault["stage"]): string[] {
    const run = [stage, "--run-id", RUN_ID, "--as-of", "2026-11-24"];
    return stage === "generate" ? [...run, ...SALES] : run;
  }

  #stage(stage: S3Fault["stage"]): Promise<Outcome> {
    return run(this.#args(stage), { ...this.#env, ...LIMITS });
  }

  /** Objects are looked at as the files that the service keeps them in. */
  #fileOf(path: string): string {
    return this.#bucket.fileOf(`${PREFIX}/${RUN}/${path}`);
  }

  /** One checksum for each dataset. */
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

  async #uploads(): Promise<string[]> {
    const found = await this.#client.send(new S3.ListMultipartUploadsCommand({ Bucket: Bucket.NAME }));
    return (found.Uploads ?? []).map(({ Key }) => Key!);
  }

  /** Whether bytes of the stage are on their way. */
  async #midway(stage: S3Fault["stage"]): Promise<boolean> {
    if (stage === "generate") return (await this.#uploads()).length > 0;
    return JSON.parse(await Deno.readTextFile(this.#fileOf("stages/clean.json"))).status === "running";
  }

  /** Runs the stage through the bad network; `undefined` when it hangs. */
  async #suffer(fault: S3Fault): Promise<Outcome | undefined> {
    for (const toxic of fault.toxics) await this.#proxy.spoil(this.#way, toxic);
    if (fault.shut) await this.#proxy.shut(this.#way);
    let healing: Promise<void> | undefined;
    const env = { ...this.#env, ...LIMITS, SALESFLOW_S3_ENDPOINT: this.#way.url };
    const running = start(this.#args(fault.stage), env, (text) => {
      if (fault.until === "next try" && text.includes("trying again")) healing ??= this.#proxy.heal();
    });
    let ended = false;
    running.outcome.then(() => ended = true);
    if (fault.blackHole) {
      await until(async () => ended || await this.#midway(fault.stage), HANG_MS);
      await new Promise((resolve) => setTimeout(resolve, 300));
      this.#proxy.freeze();
    }
    const inTime = await until(() => ended, HANG_MS);
    if (!inTime) running.child.kill("SIGKILL");
    const outcome = await running.outcome;
    await healing;
    await this.#proxy.heal();
    return inTime ? outcome : undefined;
  }

  /** Runs the stage on the sound network. After a black hole the run's lease is still there, and for up to a minute it is refused. */
  async #again(stage: S3Fault["stage"]): Promise<{ wrong: string[]; refused: boolean }> {
    let { code, stderr } = await this.#stage(stage);
    const refused = code === 75 && stderr.includes("Another salesflow command");
    if (refused) {
      const old = new Date(Date.now() - OLD_LEASE_MS);
      await Deno.utime(this.#fileOf(".lock-run"), old, old);
      ({ code, stderr } = await this.#stage(stage));
    }
    return { refused, wrong: code === 0 ? [] : [`the next run ended with ${code}: ${stderr.slice(-600)}`] };
  }

  /** The clock of this machine is ahead of the bucket's: a lease that is held is not taken for an old one. */
  async wrongClock(): Promise<FaultResult> {
    const fault =
      "this machine's clock is ten minutes ahead of the bucket's while another command holds the run";
    const clock = await FalseClock.make();
    if (!clock) return { fault, tried: 0, outcome: "", wrong: [], skipped: NO_CLOCK };
    const wrong: string[] = [];
    const lock = { Bucket: Bucket.NAME, Key: `${PREFIX}/${RUN}/.lock-run` };
    await this.#client.send(new S3.PutObjectCommand({ ...lock, Body: "{}" }));
    clock.set(600);
    const env = { ...this.#env, ...LIMITS, ...clock.env };
    const refused = await run(this.#args("clean"), env);
    if (refused.code !== 75 || !refused.stderr.includes("Another salesflow command")) {
      wrong.push(`it ended with ${refused.code}: ${refused.stderr.slice(-400)}`);
    }
    await this.#client.send(new S3.DeleteObjectCommand(lock));
    const done = await run(this.#args("clean"), env);
    if (done.code !== 0) wrong.push(`later it ended with ${done.code}: ${done.stderr.slice(-400)}`);
    await clock.remove();
    return { fault, tried: 1, outcome: "refused with 75; works when the other is done", wrong };
  }

  /** Tries one fault and, where the command gave up, runs it again on a sound network. */
  async try(fault: S3Fault): Promise<FaultResult> {
    const { stage } = fault;
    const wrong: string[] = [];
    for (const name of DATASETS[stage]) await this.#remove(name);
    const started = performance.now();
    const outcome = await this.#suffer(fault);
    const seconds = ((performance.now() - started) / 1000).toFixed(0);
    const tries = outcome?.stderr.split("trying again").length ?? 1;
    let came = tries > 1 ? "right files after trying again" : "right files";
    if (!outcome) wrong.push(`it hung for ${seconds} s`);
    else if (fault.expects === "done") {
      if (outcome.code !== 0) wrong.push(`it ended with ${outcome.code}: ${outcome.stderr.slice(-600)}`);
      if (fault.until === "next try" && tries === 1) wrong.push("the fault did not meet it");
    } else {
      if (outcome.code !== 75) wrong.push(`it ended with ${outcome.code}: ${outcome.stderr.slice(-600)}`);
      if (!outcome.stderr.includes("Check that SALESFLOW_S3_ENDPOINT can be reached")) {
        wrong.push(`no remedy: ${outcome.stderr.slice(-600)}`);
      }
      for (const name of DATASETS[stage]) {
        const manifest = this.#fileOf(`${name}/manifest.json`);
        if (await Deno.stat(manifest).then(() => true, () => false)) wrong.push(`${name} was published`);
      }
      const again = await this.#again(stage);
      wrong.push(...again.wrong);
      came = `gave up with 75, nothing published; ${
        again.refused ? "refused with 75 until its lease had run out, then " : ""
      }right files when run again`;
    }
    if (outcome?.code === 0 || fault.expects === "given up") {
      const found = this.#checksums(stage);
      const differ = Object.keys(found).filter((name) => found[name] !== this.#expected[name]);
      wrong.push(...differ.map((name) => `${name} differs`));
    }
    const uploads = await this.#uploads();
    if (uploads.length > 0) wrong.push(`unfinished uploads stay: ${uploads.join(", ")}`);
    return { fault: fault.name, tried: 1, outcome: `${came} (${seconds} s)`, wrong };
  }
}
