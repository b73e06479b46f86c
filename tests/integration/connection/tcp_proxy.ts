/** A local TCP proxy that injects faults. */

/** A fault of the proxy. Only bytes from the client to the server are counted. */
export type Fault =
  /** All bytes are forwarded. */
  | "none"
  /** Closes the connection after this many bytes. Later connections work. */
  | { cutAfter: number }
  /** Forwards nothing after this many bytes, on any connection and in either direction. */
  | { freezeAfter: number };

/** Forwards connections to a server; terminates TLS when `tls` is given. */
export class TcpProxy {
  /** Current fault. */
  fault: Fault = "none";
  /** Number of connections since {@linkcode TcpProxy.setFault}. */
  connections = 0;
  readonly port: number;
  readonly #listener: Deno.Listener<Deno.Conn>;
  readonly #open = new Set<Deno.Conn>();
  readonly #target: URL;
  #passed = 0;
  #closed = false;
  readonly #done: Promise<void>;

  /** @param target URL of the server */
  constructor(target: string, tls?: { cert: string; key: string }) {
    this.#target = new URL(target);
    const address = { hostname: "127.0.0.1", port: 0 };
    this.#listener = tls ? Deno.listenTls({ ...address, ...tls }) : Deno.listen(address);
    this.port = (this.#listener.addr as Deno.NetAddr).port;
    this.#done = this.#accept();
  }

  /** Returns the URL of the server through this proxy. */
  url(): string {
    const url = new URL(this.#target.href);
    url.port = String(this.port);
    return url.href;
  }

  async #accept(): Promise<void> {
    for await (const from of this.#listener) {
      this.connections++;
      const to = await Deno.connect({ hostname: "127.0.0.1", port: Number(this.#target.port) });
      for (const end of [from, to]) this.#open.add(end);
      this.#forward(from, to, true);
      this.#forward(to, from, false);
    }
  }

  async #forward(from: Deno.Conn, to: Deno.Conn, upstream: boolean): Promise<void> {
    const buffer = new Uint8Array(16_384);
    try {
      for (;;) {
        const count = await from.read(buffer);
        if (count === null) break;
        if (upstream) this.#passed += count;
        if (typeof this.fault === "object") {
          if ("freezeAfter" in this.fault && this.#passed > this.fault.freezeAfter) return;
          if ("cutAfter" in this.fault && this.#passed > this.fault.cutAfter) {
            this.fault = "none";
            break;
          }
        }
        for (let at = 0; at < count;) at += await to.write(buffer.subarray(at, count));
      }
    } catch {
      // When one side is closed, the other is closed below.
    }
    for (const end of [from, to]) this.#close(end);
  }

  #close(end: Deno.Conn): void {
    if (this.#open.delete(end)) end.close();
  }

  /** Resets the counters and sets the fault. */
  setFault(fault: Fault): void {
    this.#passed = 0;
    this.connections = 0;
    this.fault = fault;
  }

  /** Closes the proxy and all connections. May be called twice. */
  async close(): Promise<void> {
    if (!this.#closed) this.#listener.close();
    this.#closed = true;
    for (const end of [...this.#open]) this.#close(end);
    await this.#done.catch(() => {});
  }
}
