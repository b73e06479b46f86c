/** The `docker` program, and a compose project of its own for one test. */

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

/** Runs `docker`, whatever comes of it. */
export async function run(args: string[], env: Record<string, string> = {}): Promise<Ended> {
  const child = new Deno.Command("docker", {
    args,
    env,
    cwd: ROOT,
    stdin: "null",
    signal: stop.signal,
    stdout: "piped",
    stderr: "piped",
  });
  const { code, stdout, stderr } = await child.output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

/** Runs `docker` and returns its standard output. @throws {Error} with the end of what it printed when it fails */
export async function docker(args: string[], env: Record<string, string> = {}): Promise<string> {
  const { code, stdout, stderr } = await run(args, env);
  if (code === 0) return stdout;
  throw new Error(`docker ${args.join(" ")} ended with ${code}\n${(stdout + stderr).slice(-4000)}`);
}

/** A random password of 32 bytes in URL-safe base64, as the command in .env.example makes them. */
function password(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_");
}

/** compose.yaml under a project name, passwords, ports and image tags of its own. */
export class Project {
  readonly name = `salesflow-test-${crypto.randomUUID().slice(0, 8)}`;
  readonly tag = this.name;
  /** Values of .env, passwords among them. */
  readonly secrets: Record<string, string> = {};
  readonly #folder: string;
  readonly #env: Record<string, string>;

  private constructor(folder: string, settings: Record<string, string>) {
    this.#folder = folder;
    this.#env = { ...settings, SALESFLOW_TAG: this.tag };
    for (
      const name of ["AIRFLOW_PORT", "SPARK_UI_PORT", "POSTGRES_PORT", "CLICKHOUSE_PORT", "GRAFANA_PORT"]
    ) {
      this.#env[name] = "0"; // any free one
    }
  }

  /** Makes .env in a temporary folder, as a person would from .env.example. */
  static async create(settings: Record<string, string>): Promise<Project> {
    const project = new Project(await Deno.makeTempDir({ prefix: "salesflow-compose-" }), settings);
    const example = await Deno.readTextFile(`${ROOT}.env.example`);
    const lines = example.split("\n").map((line) => {
      const name = /^([A-Z_]+)=$/.exec(line)?.[1];
      if (!name) return line;
      return `${name}=${project.secrets[name] = password()}`;
    });
    await Deno.writeTextFile(project.#envFile, lines.join("\n"), { mode: 0o600 });
    return project;
  }

  get #envFile(): string {
    return `${this.#folder}/.env`;
  }

  /** Changes how the images are built: `compiled` or `source`. */
  setBuild(target: string): void {
    this.#env.SALESFLOW_BUILD = target;
  }

  /** `docker compose …`, whatever comes of it. */
  tryCompose(...args: string[]): Promise<Ended> {
    return run(["compose", "--project-name", this.name, "--env-file", this.#envFile, ...args], this.#env);
  }

  /** `docker compose …`. @throws {Error} when it fails */
  compose(...args: string[]): Promise<string> {
    return docker(["compose", "--project-name", this.name, "--env-file", this.#envFile, ...args], this.#env);
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

  /** Ids of everything that docker keeps for this project. */
  async leftovers(): Promise<string[]> {
    const filter = ["--filter", `label=com.docker.compose.project=${this.name}`, "--quiet"];
    const found = await Promise.all([
      docker(["ps", "--all", ...filter]),
      docker(["volume", "ls", ...filter]),
      docker(["network", "ls", ...filter]),
    ]);
    return found.join("\n").split("\n").filter((id) => id !== "");
  }

  /** Removes containers, volumes, networks, the tags of the images built for it, and .env. */
  async remove(): Promise<void> {
    await this.compose("--profile", "*", "down", "--volumes", "--remove-orphans", "--timeout", "10");
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
    await Deno.remove(this.#folder, { recursive: true });
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
