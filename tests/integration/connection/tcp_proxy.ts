/** A TCP relay on this machine that can fail on demand. */

/** What happens to bytes from the command to the server. */
export type Fault =
  /** They pass. */
  | "none"
  /** Once so many bytes have passed, the connection is cut; later ones are fine. */
  | { cutAfter: number }
  /** Once so many bytes have passed, nothing moves any more, in no connection and in neither direction. */
  | { freezeAfter: number };

/** Relays connections to `target`, with TLS in front of it when `tls` is given. */
export class TcpProxy {
  fault: Fault = "none";
  /** Connections so far. */
  connections = 0;
  readonly port: number;
  readonly #listener: Deno.Listener<Deno.Conn>;
  readonly #open = new Set<Deno.Conn>();
  readonly #target: URL;
  #passed = 0;
  #closed = false;
  readonly #done: Promise<void>;

  /** @param target a URL whose host and port are relayed */
  constructor(target: string, tls?: { cert: string; key: string }) {
    this.#target = new URL(target);
    const address = { hostname: "127.0.0.1", port: 0 };
    this.#listener = tls ? Deno.listenTls({ ...address, ...tls }) : Deno.listen(address);
    this.port = (this.#listener.addr as Deno.NetAddr).port;
    this.#done = this.#accept();
  }

  /** The same URL through this relay. */
  url(through = this.#target.href): string {
    const url = new URL(through);
    url.port = String(this.port);
    return url.href;
  }

  async #accept(): Promise<void> {
    for await (const from of this.#listener) {
      this.connections++;
      const to = await Deno.connect({ hostname: "127.0.0.1", port: Number(this.#target.port) });
      for (const end of [from, to]) this.#open.add(end);
      this.#relay(from, to, true);
      this.#relay(to, from, false);
    }
  }

  async #relay(from: Deno.Conn, to: Deno.Conn, outward: boolean): Promise<void> {
    const buffer = new Uint8Array(16_384);
    try {
      for (;;) {
        const count = await from.read(buffer);
        if (count === null) break;
        if (outward) this.#passed += count;
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
      // A side that went away takes the other with it.
    }
    for (const end of [from, to]) this.#close(end);
  }

  #close(end: Deno.Conn): void {
    if (this.#open.delete(end)) end.close();
  }

  /** Forgets the bytes that passed, and sets what happens from now on. */
  begin(fault: Fault): void {
    this.#passed = 0;
    this.connections = 0;
    this.fault = fault;
  }

  /** May be called twice. */
  async close(): Promise<void> {
    if (!this.#closed) this.#listener.close();
    this.#closed = true;
    for (const end of [...this.#open]) this.#close(end);
    await this.#done.catch(() => {});
  }
}
