/** A PostgreSQL server with its usual settings, on a folder of its own: one that may run out of space, end by itself and be started again. */
import { join } from "node:path";
import { ensureEngines } from "../../lib/embedded/engines/engines.ts";
import { program, runProgram } from "../../lib/embedded/postgres/program.ts";
import { chooseServerUser, type ServerUser } from "../../lib/embedded/postgres/server_user.ts";
import { until } from "./command.ts";
import { freePort } from "./go_tool.ts";

const PASSWORD = "small-8d1f";
/** Small enough for the log to need new files in the middle of a small load. */
const LOG_FILE_MB = 1;
const SETTINGS = {
  listen_addresses: "127.0.0.1",
  unix_socket_directories: "",
  shared_buffers: "16MB",
  max_wal_size: "8MB",
  min_wal_size: "2MB",
  lc_messages: "C",
  // On a slow machine it would have time to make room in the tables, and no stage would need more of the disk.
  autovacuum: "off",
};
const START_MS = 30_000;
const DATABASE = "salesflow";

/** The server; it writes the log that a server with replicas needs, so that a full disk can stop it at that, too. */
export class SmallPostgres {
  readonly url: string;
  readonly #user: ServerUser;
  readonly #settings: Record<string, string>;
  readonly #port: number;
  readonly #prefix: readonly string[];
  readonly #said: string[] = [];
  #child: Deno.ChildProcess | undefined;

  private constructor(
    user: ServerUser,
    settings: Record<string, string>,
    port: number,
    prefix: readonly string[],
  ) {
    this.#user = user;
    this.#prefix = prefix;
    this.#settings = settings;
    this.#port = port;
    this.url = `postgres://salesflow:${PASSWORD}@127.0.0.1:${port}/${DATABASE}`;
  }

  /** Makes a cluster in a folder and starts its server. @param settings besides the usual ones @param prefix before the server's command line */
  static async create(
    folder: string,
    settings: Record<string, string> = {},
    prefix: readonly string[] = [],
  ): Promise<SmallPostgres> {
    const { postgres } = await ensureEngines({ engines: ["postgres"] });
    const user = await chooseServerUser(postgres, folder);
    const data = join(user.folder, "data");
    const passwordFile = await Deno.makeTempFile({ prefix: "salesflow-password-" });
    try {
      await Deno.writeTextFile(passwordFile, `${PASSWORD}\n`);
      const { uid, gid } = user.identity;
      if (uid !== undefined) await Deno.chown(passwordFile, uid, gid ?? null);
      const login = ["--auth=scram-sha-256", "--username", "salesflow", "--pwfile", passwordFile];
      const shape = ["--encoding=UTF8", "--locale=C", `--wal-segsize=${LOG_FILE_MB}`];
      await runProgram(user, "initdb", ["--pgdata", data, ...shape, ...login]);
    } finally {
      await Deno.remove(passwordFile);
    }
    await runProgram(
      user,
      "postgres",
      ["--single", "-D", data, "postgres"],
      `CREATE DATABASE ${DATABASE};\n`,
    );
    const server = new SmallPostgres(user, settings, freePort(), prefix);
    await server.start();
    return server;
  }

  /** What the server said, from the first start on. */
  get log(): string {
    return this.#said.join("");
  }

  /** Starts the server unless it runs; resolves when it is ready for work. */
  async start(): Promise<void> {
    if (!this.#child) {
      const settings = Object.entries({ ...SETTINGS, ...this.#settings, port: String(this.#port) });
      const args = ["-D", join(this.#user.folder, "data")];
      const child = program(
        this.#user,
        "postgres",
        [...args, ...settings.flatMap(([name, value]) => ["-c", `${name}=${value}`])],
        { stdin: "null", stdout: "null", stderr: "piped" },
        this.#prefix,
      ).spawn();
      this.#child = child;
      (async () => {
        for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) this.#said.push(text);
      })();
      child.status.then(() => {
        if (this.#child === child) this.#child = undefined;
      });
    }
    if (!await until(() => this.#answers(), START_MS)) {
      throw new Error(`PostgreSQL does not start: ${this.log.slice(-600)}`);
    }
  }

  /** Whether it takes connections and is not busy with recovery. */
  async #answers(): Promise<boolean> {
    if (!this.#child) throw new Error(`PostgreSQL ended: ${this.log.slice(-600)}`);
    const said = this.log;
    const ready = said.lastIndexOf("ready to accept connections");
    if (ready < 0) return false;
    // After a crash it says so again.
    if (said.lastIndexOf("all server processes terminated; reinitializing") > ready) return false;
    return await Deno.connect({ hostname: "127.0.0.1", port: this.#port }).then((connection) => {
      connection.close();
      return true;
    }, () => false);
  }

  /** Whether the server's processes are all gone. */
  get ended(): boolean {
    return this.#child === undefined;
  }

  async stop(): Promise<void> {
    const child = this.#child;
    if (!child) return;
    child.kill("SIGINT");
    await child.status;
  }
}
