/** A separate PostgreSQL server that may run out of disk space, crash and be restarted. */
import { join } from "node:path";
import { ensureEngines } from "../../lib/embedded/engines/engines.ts";
import { programCommand, runProgram } from "../../lib/embedded/postgres/program.ts";
import { chooseServerUser, type ServerUser } from "../../lib/embedded/postgres/server_user.ts";
import { until } from "./command.ts";
import { freePort } from "./go_tool.ts";

const PASSWORD = "small-8d1f";
/** Small enough for the WAL to need new segments during a small load. */
const WAL_SEGMENT_MB = 1;
const SETTINGS = {
  listen_addresses: "127.0.0.1",
  unix_socket_directories: "",
  shared_buffers: "16MB",
  max_wal_size: "8MB",
  min_wal_size: "2MB",
  lc_messages: "C",
  // On a slow machine it could free space in the tables, and no stage would need more of the disk.
  autovacuum: "off",
};
/** Tells a server that hangs from one that recovers on a slow machine. */
const START_TIMEOUT_MS = 300_000;
const DATABASE = "salesflow";

/** The server. By default it writes a full WAL (wal_level=replica), so that a full disk can also fail it there. */
export class SmallPostgres {
  readonly url: string;
  readonly #user: ServerUser;
  readonly #settings: Record<string, string>;
  readonly #port: number;
  readonly #prefix: readonly string[];
  readonly #logChunks: string[] = [];
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

  /**
   * Creates a cluster in a folder and starts its server.
   *
   * @param settings additional server settings
   * @param prefix prefix of the server's command line
   */
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
      const shape = ["--encoding=UTF8", "--locale=C", `--wal-segsize=${WAL_SEGMENT_MB}`];
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

  /** The server's log since its first start. */
  get log(): string {
    return this.#logChunks.join("");
  }

  /** Starts the server unless it is running; resolves when it accepts connections. */
  async start(): Promise<void> {
    if (!this.#child) {
      const settings = Object.entries({ ...SETTINGS, ...this.#settings, port: String(this.#port) });
      const args = ["-D", join(this.#user.folder, "data")];
      const child = programCommand(
        this.#user,
        "postgres",
        [...args, ...settings.flatMap(([name, value]) => ["-c", `${name}=${value}`])],
        { stdin: "null", stdout: "null", stderr: "piped" },
        this.#prefix,
      ).spawn();
      this.#child = child;
      (async () => {
        for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
          this.#logChunks.push(text);
        }
      })();
      child.status.then(() => {
        if (this.#child === child) this.#child = undefined;
      });
    }
    if (!await until(() => this.#isReady(), START_TIMEOUT_MS)) {
      throw new Error(`PostgreSQL failed to start: ${this.log.slice(-600)}`);
    }
  }

  /** Returns whether it accepts connections and is not in recovery. */
  async #isReady(): Promise<boolean> {
    if (!this.#child) throw new Error(`PostgreSQL exited: ${this.log.slice(-600)}`);
    const log = this.log;
    const ready = log.lastIndexOf("ready to accept connections");
    if (ready < 0) return false;
    // After a crash the message is logged again.
    if (log.lastIndexOf("all server processes terminated; reinitializing") > ready) return false;
    return await Deno.connect({ hostname: "127.0.0.1", port: this.#port }).then((connection) => {
      connection.close();
      return true;
    }, () => false);
  }

  /** Whether the server has exited. */
  get ended(): boolean {
    return this.#child === undefined;
  }

  /** Stops the server. */
  async stop(): Promise<void> {
    const child = this.#child;
    if (!child) return;
    child.kill("SIGINT");
    await child.status;
  }
}
