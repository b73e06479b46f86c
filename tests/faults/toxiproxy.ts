/** Client of toxiproxy, a TCP proxy that simulates network faults: https://github.com/Shopify/toxiproxy */
import { until } from "./command.ts";
import { freePort } from "./go_tool.ts";

/** A toxiproxy toxic; `upstream` is from the command to the server. */
export interface Toxic {
  type: "latency" | "bandwidth" | "timeout" | "reset_peer" | "limit_data";
  stream: "upstream" | "downstream";
  /** Times in milliseconds, rates in KB/s, sizes in bytes. */
  attributes: Record<string, number>;
}

/** A route to one server through toxiproxy. */
export interface Route {
  name: string;
  /** Address of the server. */
  upstream: string;
  /** Address of the proxy. */
  listen: string;
  enabled: boolean;
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

  /** Starts toxiproxy. @param path path of the program */
  static async start(path: string): Promise<Toxiproxy> {
    const port = freePort();
    const child = new Deno.Command(path, {
      args: ["-host", "127.0.0.1", "-port", String(port)],
      stdout: "null",
      stderr: "null",
    }).spawn();
    const api = `http://127.0.0.1:${port}`;
    const isReady = () =>
      fetch(`${api}/version`).then(async (response) => (await response.text(), response.ok), () => false);
    if (!await until(isReady, 20_000)) throw new Error("toxiproxy does not respond");
    return new Toxiproxy(child, api);
  }

  async #request(method: string, path: string, body?: unknown): Promise<unknown> {
    const response = await fetch(`${this.#api}${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`toxiproxy: ${method} ${path}: ${response.status} ${text}`);
    return text === "" ? undefined : JSON.parse(text);
  }

  /** Adds a route to the server of a URL. */
  async addRoute(name: string, url: string): Promise<Route> {
    const proxied = new URL(url);
    const server = { name, upstream: `127.0.0.1:${proxied.port}`, enabled: true };
    const created = await this.#request("POST", "/proxies", { ...server, listen: "127.0.0.1:0" });
    const { listen } = created as { listen: string };
    proxied.port = listen.split(":").at(-1)!;
    return { ...server, listen, url: proxied.href };
  }

  /**
   * Resumes the proxy and replaces a route by one without toxics on the same port; its connections are closed. Unlike
   * `reset`, this does not wait for connections that the command has already abandoned: a toxic that is blocked on writing to one
   * holds up its own removal, and with it every new connection, for 5 s at a time or for good.
   */
  async replaceRoute({ url: _, ...proxy }: Route): Promise<void> {
    this.#child.kill("SIGCONT");
    await this.#request("DELETE", `/proxies/${proxy.name}`);
    await this.#request("POST", "/proxies", proxy);
  }

  /** Adds a toxic to a route, for open and new connections. */
  async addToxic({ name }: Route, toxic: Toxic): Promise<void> {
    await this.#request("POST", `/proxies/${name}/toxics`, toxic);
  }

  /** Disables a route: connections are refused. */
  async disable({ name }: Route): Promise<void> {
    await this.#request("POST", `/proxies/${name}`, { enabled: false });
  }

  /** Suspends the proxy: connections stay open and new ones are accepted, but no data is transferred. */
  suspend(): void {
    this.#child.kill("SIGSTOP");
  }

  /** Resumes the proxy and removes all toxics. */
  async reset(): Promise<void> {
    this.#child.kill("SIGCONT");
    await this.#request("POST", "/reset");
  }

  /** Stops the proxy. */
  async close(): Promise<void> {
    this.#child.kill("SIGCONT");
    this.#child.kill("SIGTERM");
    await this.#child.status;
  }
}
