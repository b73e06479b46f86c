/** A web service of this machine for tests: remembers who asked, and always gives the same answer. */
export class Service {
  /** What each request said in its `authorization` header, or "". */
  readonly authorizations: string[] = [];
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  constructor(answer: () => Response) {
    this.#server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
      this.authorizations.push(request.headers.get("authorization") ?? "");
      return answer();
    });
  }

  /** Address and port. */
  get host(): string {
    return `127.0.0.1:${this.#server.addr.port}`;
  }

  /** Stops listening. */
  close(): Promise<void> {
    return this.#server.shutdown();
  }
}
