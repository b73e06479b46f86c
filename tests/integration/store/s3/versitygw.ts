/** Runs versitygw, an S3 server that stores objects in a folder: https://github.com/versity/versitygw */
import { until } from "../../../faults/command.ts";
import { freePort } from "../../../faults/go_tool.ts";

/** A running server with one bucket. */
export class Bucket {
  static readonly NAME = "shop";
  readonly endpoint: string;
  readonly #child: Deno.ChildProcess;
  readonly #folder: string;

  private constructor(endpoint: string, child: Deno.ChildProcess, folder: string) {
    this.endpoint = endpoint;
    this.#child = child;
    this.#folder = folder;
  }

  /** Returns the path of the file that stores an object. */
  fileOf(key: string): string {
    return `${this.#folder}/objects/${Bucket.NAME}/${key}`;
  }

  /**
   * Starts a server on a free port.
   *
   * @param path of the program
   */
  static async start(path: string, keys: { id: string; secret: string }): Promise<Bucket> {
    const folder = await Deno.makeTempDir({ prefix: "salesflow-s3-" });
    // Each folder in the root folder is a bucket.
    for (const name of ["attributes", `objects/${Bucket.NAME}`]) {
      await Deno.mkdir(`${folder}/${name}`, { recursive: true });
    }
    const port = freePort();
    const child = new Deno.Command(path, {
      args: [
        "--port",
        `127.0.0.1:${port}`,
        "posix",
        "--sidecar",
        `${folder}/attributes`,
        `${folder}/objects`,
      ],
      env: { ROOT_ACCESS_KEY: keys.id, ROOT_SECRET_KEY: keys.secret },
      stdout: "null",
      stderr: "null",
    }).spawn();
    const endpoint = `http://127.0.0.1:${port}`;
    const isUp = () => fetch(endpoint).then(async (found) => (await found.text(), true), () => false);
    const bucket = new Bucket(endpoint, child, folder);
    if (await until(isUp, 20_000)) return bucket;
    await bucket.close();
    throw new Error("versitygw did not start within 20 s");
  }

  /** Stops the server and removes its objects. */
  async close(): Promise<void> {
    this.#child.kill("SIGTERM");
    await this.#child.status;
    await Deno.remove(this.#folder, { recursive: true });
  }
}
