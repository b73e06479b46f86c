/** A local HTTP server for tests. Records the credentials of requests and always sends the same response. */
export class Service {
  /** The `authorization` header of each request, or "". */
  readonly authorizations: string[] = [];
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  constructor(respond: () => Response) {
    this.#server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
      this.authorizations.push(request.headers.get("authorization") ?? "");
      return respond();
    });
  }

  /** Host and port. */
  get host(): string {
    return `127.0.0.1:${this.#server.addr.port}`;
  }

  /** Stops listening. */
  close(): Promise<void> {
    return this.#server.shutdown();
  }
}
