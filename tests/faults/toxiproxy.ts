/** toxiproxy, a real TCP proxy that fails on demand: https://github.com/Shopify/toxiproxy */
import { until } from "./command.ts";
import { freePort } from "./go_tool.ts";

/** What spoils a connection, in toxiproxy's words; `upstream` is from the command to the server. */
export interface Toxic {
  type: "latency" | "bandwidth" | "timeout" | "reset_peer" | "limit_data";
  stream: "upstream" | "downstream";
  /** Times in milliseconds, rates in KB/s, amounts in bytes. */
  attributes: Record<string, number>;
}

/** A way to one server through toxiproxy. */
export interface Way {
  name: string;
  /** The server's URL through the proxy. */
  url: string;
}

/** A running toxiproxy. */
export class Toxiproxy {
  readonly #child: Deno.ChildProcess;
  readonly #api: string;

  private constructor(child: Deno.ChildProcess, api: string) {
    this.#child = child;
    this.#api = api;
  }

  /** @param path of the program */
  static async start(path: string): Promise<Toxiproxy> {
    const port = freePort();
    const child = new Deno.Command(path, {
      args: ["-host", "127.0.0.1", "-port", String(port)],
      stdout: "null",
      stderr: "null",
    }).spawn();
    const api = `http://127.0.0.1:${port}`;
    const answers = () =>
      fetch(`${api}/version`).then(async (found) => (await found.text(), found.ok), () => false);
    if (!await until(answers, 20_000)) throw new Error("toxiproxy does not answer");
    return new Toxiproxy(child, api);
  }

  async #ask(method: string, path: string, body?: unknown): Promise<unknown> {
    const answer = await fetch(`${this.#api}${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`toxiproxy: ${method} ${path}: ${answer.status} ${text}`);
    return text === "" ? undefined : JSON.parse(text);
  }

  /** Opens a way to the server of a URL. */
  async way(name: string, url: string): Promise<Way> {
    const through = new URL(url);
    const upstream = `127.0.0.1:${through.port}`;
    const made = await this.#ask("POST", "/proxies", {
      name,
      listen: "127.0.0.1:0",
      upstream,
      enabled: true,
    });
    through.port = (made as { listen: string }).listen.split(":").at(-1)!;
    return { name, url: through.href };
  }

  /** Spoils a way, for connections that are open and for later ones. */
  async spoil({ name }: Way, toxic: Toxic): Promise<void> {
    await this.#ask("POST", `/proxies/${name}/toxics`, toxic);
  }

  /** Closes a way: connections are refused. */
  async shut({ name }: Way): Promise<void> {
    await this.#ask("POST", `/proxies/${name}`, { enabled: false });
  }

  /** Every way becomes a black hole: connections stay open, new ones are taken, and nothing moves any more. */
  freeze(): void {
    this.#child.kill("SIGSTOP");
  }

  /** Everything works again. */
  async heal(): Promise<void> {
    this.#child.kill("SIGCONT");
    await this.#ask("POST", "/reset");
  }

  async close(): Promise<void> {
    this.#child.kill("SIGCONT");
    this.#child.kill("SIGTERM");
    await this.#child.status;
  }
}
