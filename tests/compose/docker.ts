/** Runs `docker`, and a separate compose project in a copy of the repository. */

const ROOT = new URL("../../", import.meta.url).pathname;

/** Exit code and output of a program. */
export interface CommandResult {
  code: number;
  stdout: string;
  stderr: string;
}

let stop = new AbortController();
let interrupted = false;

/** Kills the running `docker` command and stops all polling. Later commands run as usual. */
export function interrupt(): void {
  interrupted = true;
  stop.abort();
  stop = new AbortController();
}

/** Returns whether {@linkcode interrupt} was called. */
export function wasInterrupted(): boolean {
  return interrupted;
}

async function spawn(command: string, args: string[], cwd: string): Promise<CommandResult> {
  const child = new Deno.Command(command, {
    args,
    cwd,
    stdin: "null",
    signal: stop.signal,
    stdout: "piped",
    stderr: "piped",
  });
  const { code, stdout, stderr } = await child.output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

async function runOrThrow(command: string, args: string[], cwd: string): Promise<string> {
  const { code, stdout, stderr } = await spawn(command, args, cwd);
  if (code === 0) return stdout;
  throw new Error(`${command} ${args.join(" ")} exited with ${code}\n${(stdout + stderr).slice(-4000)}`);
}

/** Runs `docker`, which may fail. */
export function run(args: string[], cwd = ROOT): Promise<CommandResult> {
  return spawn("docker", args, cwd);
}

/** Runs `docker` and returns its stdout. @throws {Error} with the end of its output when it fails */
export function docker(args: string[], cwd = ROOT): Promise<string> {
  return runOrThrow("docker", args, cwd);
}

/** Entries that a fresh clone does not have. */
const NOT_IN_CLONE = new Set([".git", ".cache", ".env", ".salesflow", "dist", "node_modules"]);

async function copyFolder(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    if (NOT_IN_CLONE.has(name)) continue;
    if (isDirectory) await copyFolder(`${from}/${name}`, `${to}/${name}`);
    else await Deno.copyFile(`${from}/${name}`, `${to}/${name}`);
  }
}

/**
 * A copy of the repository, in which commands run as typed by a user. Lines added to its .env set a unique project name,
 * ports and image tags.
 */
export class Project {
  readonly name = `salesflow-test-${crypto.randomUUID().slice(0, 8)}`;
  readonly tag = this.name;
  /** The passwords in .env. */
  readonly secrets: Record<string, string> = {};
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** Copies the repository, without .env. */
  static async create(): Promise<Project> {
    const project = new Project(await Deno.makeTempDir({ prefix: "salesflow-compose-" }));
    await copyFolder(ROOT, project.folder);
    return project;
  }

  /**
   * Creates .env and appends settings.
   *
   * @param command shell command that creates .env from .env.example
   * @throws {Error} when a password is missing, short or not unique, or other users may read the file
   */
  async makeEnv(command: string, settings: Record<string, string>): Promise<void> {
    await this.shell(command);
    const file = `${this.folder}/.env`;
    const { mode } = await Deno.stat(file);
    if (mode !== null && (mode & 0o077) !== 0) throw new Error(`.env has mode ${mode.toString(8)}`);
    for (const [, name, value] of (await Deno.readTextFile(file)).matchAll(/^(\w+)=(.*)$/gm)) {
      if (!/^[\w-]{43}=$/.test(value!)) throw new Error(`.env has no password of 32 bytes as ${name}`);
      this.secrets[name!] = value!;
    }
    const distinct = new Set(Object.values(this.secrets)).size;
    if (distinct < 10) throw new Error(`.env has only ${distinct} distinct passwords`);
    const ports = ["AIRFLOW", "SPARK_UI", "POSTGRES", "CLICKHOUSE", "GRAFANA"].map((
      name,
    ) => [`${name}_PORT`, "0"]);
    const own = { COMPOSE_PROJECT_NAME: this.name, SALESFLOW_TAG: this.tag, ...Object.fromEntries(ports) };
    const lines = Object.entries({ ...own, ...settings }).map(([name, value]) => `${name}=${value}\n`);
    await Deno.writeTextFile(file, `\n${lines.join("")}`, { append: true });
  }

  /** Runs a shell command in the folder. @throws {Error} with the end of its output when it fails */
  shell(line: string): Promise<string> {
    return runOrThrow("sh", ["-c", line], this.folder);
  }

  /** Runs `docker compose`, which may fail. */
  tryCompose(...args: string[]): Promise<CommandResult> {
    return run(["compose", ...args], this.folder);
  }

  /** Runs `docker compose`. @throws {Error} when it fails */
  compose(...args: string[]): Promise<string> {
    return docker(["compose", ...args], this.folder);
  }

  /** Runs a shell command inside a service's container and returns its output. */
  inside(service: string, command: string): Promise<string> {
    return this.compose("exec", "--no-TTY", service, "bash", "-c", command);
  }

  /** Returns the host address of a service's port, such as `127.0.0.1:32771`. */
  async address(service: string, port: number): Promise<string> {
    return (await this.compose("port", service, String(port))).trim();
  }

  /** Runs a query in PostgreSQL's database salesflow; returns its rows as text. */
  postgres(sql: string): Promise<string> {
    return this.inside(
      "postgres",
      `psql --no-psqlrc -qAt -v ON_ERROR_STOP=1 -U postgres -d salesflow -c ${shellQuote(sql)}`,
    );
  }

  /** Runs a query in ClickHouse; returns its rows as text. */
  clickhouse(sql: string): Promise<string> {
    const client = 'clickhouse-client --user "$CLICKHOUSE_USER" --password "$CLICKHOUSE_PASSWORD"';
    return this.inside("clickhouse", `${client} --query ${shellQuote(sql)}`);
  }

  async #listIds(...list: string[]): Promise<string[]> {
    const filter = `label=com.docker.compose.project=${this.name}`;
    const found = await docker([...list, "--filter", filter, "--quiet"]);
    return found.split("\n").filter((id) => id !== "");
  }

  /** Returns the ids of the project's containers, including stopped ones. */
  containers(): Promise<string[]> {
    return this.#listIds("ps", "--all");
  }

  /** Returns the names of the project's volumes. */
  volumes(): Promise<string[]> {
    return this.#listIds("volume", "ls");
  }

  /** Returns the ids of all containers, volumes and networks of the project. */
  async leftovers(): Promise<string[]> {
    return [...await this.containers(), ...await this.volumes(), ...await this.#listIds("network", "ls")];
  }

  /** Returns the project's containers that the kernel killed for lack of memory. */
  async outOfMemory(): Promise<string[]> {
    const ids = await this.containers();
    const format = "{{.State.OOMKilled}} {{.Name}}";
    const states = await docker(["inspect", "--format", format, ...ids]);
    return states.split("\n").filter((line) => line.startsWith("true"));
  }

  /** Returns the time at which the container of a service was last started. */
  async startedAt(service: string): Promise<string> {
    const id = (await this.compose("ps", "--all", "--quiet", service)).trim();
    return await docker(["inspect", "--format", "{{.State.StartedAt}}", id]);
  }

  /** Removes containers, volumes, networks, the tags of the images built for it, and the folder. */
  async remove(): Promise<void> {
    // Without .env, nothing has been started.
    if (Object.keys(this.secrets).length > 0) {
      await this.compose("--profile", "*", "down", "--volumes", "--remove-orphans", "--timeout", "10");
    }
    const images = await docker([
      "images",
      "--filter",
      `reference=*:${this.tag}`,
      "--format",
      "{{.Repository}}:{{.Tag}}",
    ]);
    for (const image of images.split("\n").filter((name) => name !== "")) {
      await docker(["image", "rm", image]);
    }
    await Deno.remove(this.folder, { recursive: true });
  }
}

function shellQuote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
