/** The `docker` program, and a compose project of its own for one test, in a copy of the repository. */

const ROOT = new URL("../../", import.meta.url).pathname;

/** How a program ended and what it printed. */
export interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

let stop = new AbortController();
let interrupted = false;

/** Ends the `docker` that is running, and all waiting; commands that are started from then on run as usual. */
export function interrupt(): void {
  interrupted = true;
  stop.abort();
  stop = new AbortController();
}

/** Whether {@linkcode interrupt} was called. */
export function wasInterrupted(): boolean {
  return interrupted;
}

async function spawn(command: string, args: string[], cwd: string): Promise<Ended> {
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

async function must(command: string, args: string[], cwd: string): Promise<string> {
  const { code, stdout, stderr } = await spawn(command, args, cwd);
  if (code === 0) return stdout;
  throw new Error(`${command} ${args.join(" ")} ended with ${code}\n${(stdout + stderr).slice(-4000)}`);
}

/** Runs `docker`, whatever comes of it. */
export function run(args: string[], cwd = ROOT): Promise<Ended> {
  return spawn("docker", args, cwd);
}

/** Runs `docker` and returns its standard output. @throws {Error} with the end of what it printed when it fails */
export function docker(args: string[], cwd = ROOT): Promise<string> {
  return must("docker", args, cwd);
}

/** What a fresh clone has not. */
const NOT_CLONED = new Set([".git", ".cache", ".env", ".salesflow", "dist", "node_modules"]);

async function copyFolder(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    if (NOT_CLONED.has(name)) continue;
    if (isDirectory) await copyFolder(`${from}/${name}`, `${to}/${name}`);
    else await Deno.copyFile(`${from}/${name}`, `${to}/${name}`);
  }
}

/**
 * A copy of the repository in a folder of its own, where commands run as a person types them; the lines added to its .env
 * give it a project name, ports and image tags of its own.
 */
export class Project {
  readonly name = `salesflow-test-${crypto.randomUUID().slice(0, 8)}`;
  readonly tag = this.name;
  /** The passwords of .env. */
  readonly secrets: Record<string, string> = {};
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** Copies the repository; there is no .env yet. */
  static async create(): Promise<Project> {
    const project = new Project(await Deno.makeTempDir({ prefix: "salesflow-compose-" }));
    await copyFolder(ROOT, project.folder);
    return project;
  }

  /**
   * Makes .env and adds settings to it.
   *
   * @param command makes .env from .env.example
   * @throws {Error} when a password is missing, short, or the same as another; when others may read the file
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
    const differing = new Set(Object.values(this.secrets)).size;
    if (differing < 10) throw new Error(`.env has only ${differing} differing passwords`);
    const ports = ["AIRFLOW", "SPARK_UI", "POSTGRES", "CLICKHOUSE", "GRAFANA"].map((
      name,
    ) => [`${name}_PORT`, "0"]);
    const own = { COMPOSE_PROJECT_NAME: this.name, SALESFLOW_TAG: this.tag, ...Object.fromEntries(ports) };
    const lines = Object.entries({ ...own, ...settings }).map(([name, value]) => `${name}=${value}\n`);
    await Deno.writeTextFile(file, `\n${lines.join("")}`, { append: true });
  }

  /** Runs a line of shell in the folder. @throws {Error} with the end of what it printed when it fails */
  shell(line: string): Promise<string> {
    return must("sh", ["-c", line], this.folder);
  }

  /** `docker compose …`, whatever comes of it. */
  tryCompose(...args: string[]): Promise<Ended> {
    return run(["compose", ...args], this.folder);
  }

  /** `docker compose …`. @throws {Error} when it fails */
  compose(...args: string[]): Promise<string> {
    return docker(["compose", ...args], this.folder);
  }

  /** Runs a shell command inside a service's container and returns its output. */
  inside(service: string, command: string): Promise<string> {
    return this.compose("exec", "--no-TTY", service, "bash", "-c", command);
  }

  /** Where a port of a service is on this machine, such as `127.0.0.1:32771`. */
  async address(service: string, port: number): Promise<string> {
    return (await this.compose("port", service, String(port))).trim();
  }

  /** A query's rows as text, from PostgreSQL's database of the shop. */
  postgres(sql: string): Promise<string> {
    return this.inside(
      "postgres",
      `psql --no-psqlrc -qAt -v ON_ERROR_STOP=1 -U postgres -d salesflow -c ${quoted(sql)}`,
    );
  }

  /** A query's rows as text, from ClickHouse. */
  clickhouse(sql: string): Promise<string> {
    const client = 'clickhouse-client --user "$CLICKHOUSE_USER" --password "$CLICKHOUSE_PASSWORD"';
    return this.inside("clickhouse", `${client} --query ${quoted(sql)}`);
  }

  async #ids(...list: string[]): Promise<string[]> {
    const filter = `label=com.docker.compose.project=${this.name}`;
    const found = await docker([...list, "--filter", filter, "--quiet"]);
    return found.split("\n").filter((id) => id !== "");
  }

  /** Ids of the project's containers, those that have ended too. */
  containers(): Promise<string[]> {
    return this.#ids("ps", "--all");
  }

  /** Names of the project's volumes. */
  volumes(): Promise<string[]> {
    return this.#ids("volume", "ls");
  }

  /** Ids of everything that docker keeps for this project. */
  async leftovers(): Promise<string[]> {
    return [...await this.containers(), ...await this.volumes(), ...await this.#ids("network", "ls")];
  }

  /** Containers of the project that the kernel had to stop for want of memory. */
  async outOfMemory(): Promise<string[]> {
    const ids = await this.containers();
    const format = "{{.State.OOMKilled}} {{.Name}}";
    const states = await docker(["inspect", "--format", format, ...ids]);
    return states.split("\n").filter((line) => line.startsWith("true"));
  }

  /** When the container of a service was started last. */
  async startedAt(service: string): Promise<string> {
    const id = (await this.compose("ps", "--all", "--quiet", service)).trim();
    return await docker(["inspect", "--format", "{{.State.StartedAt}}", id]);
  }

  /** Removes containers, volumes, networks, the tags of the images built for it, and the folder. */
  async remove(): Promise<void> {
    // Without .env nothing was started.
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

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
