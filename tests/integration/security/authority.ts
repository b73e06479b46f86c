/** A certificate authority for tests, and an https server with a certificate of it. Needs openssl. */
import { assert } from "@std/assert";
import { join } from "node:path";

/** An authority that nothing trusts by itself. */
export class Authority {
  /** Path of its certificate, a PEM file. */
  readonly certificate: string;
  readonly #folder: string;
  readonly #name: string;

  private constructor(folder: string, name: string) {
    this.#folder = folder;
    this.#name = name;
    this.certificate = join(folder, `${name}.pem`);
  }

  /** Creates an authority; its files are in the folder and begin with the name. */
  static async create(folder: string, name: string): Promise<Authority> {
    const authority = new Authority(folder, name);
    await authority.#openssl(
      ["req", "-x509", "-days", "2", "-subj", `/CN=${name}`, "-out", authority.certificate],
      ["-addext", "basicConstraints=critical,CA:TRUE", ...authority.#newKey(name)],
    );
    return authority;
  }

  /** Serves https on a free port of localhost with a certificate of this authority. */
  async serve(handler: (request: Request) => Response | Promise<Response>): Promise<SecureServer> {
    const [request, certificate, extensions] = ["csr", "crt", "ext"].map((ending) =>
      join(this.#folder, `${this.#name}-server.${ending}`)
    ) as [string, string, string];
    await Deno.writeTextFile(extensions, "subjectAltName=DNS:localhost");
    const key = this.#newKey(`${this.#name}-server`);
    await this.#openssl(["req", "-subj", "/CN=localhost", "-out", request, ...key]);
    const issuer = ["-CA", this.certificate, "-CAkey", this.#keyOf(this.#name), "-CAcreateserial"];
    await this.#openssl(
      ["x509", "-req", "-days", "2", "-in", request, "-out", certificate, "-extfile", extensions],
      issuer,
    );
    const server = Deno.serve({
      hostname: "127.0.0.1",
      port: 0,
      onListen: () => {},
      cert: await Deno.readTextFile(certificate),
      key: await Deno.readTextFile(this.#keyOf(`${this.#name}-server`)),
    }, handler);
    return { host: `localhost:${server.addr.port}`, close: () => server.shutdown() };
  }

  #keyOf(name: string): string {
    return join(this.#folder, `${name}.key`);
  }

  #newKey(name: string): string[] {
    const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"];
    return [...curve, "-nodes", "-keyout", this.#keyOf(name)];
  }

  async #openssl(...args: string[][]): Promise<void> {
    const { success, stderr } = await new Deno.Command("openssl", { args: args.flat() }).output();
    assert(success, new TextDecoder().decode(stderr));
  }
}

/** A server that {@linkcode Authority.serve} has started. */
export interface SecureServer {
  /** Host and port. */
  host: string;
  /** Stops listening. */
  close(): Promise<void>;
}
