/** A ClickHouse URL, taken apart once: what the client needs, and a name for the server that holds no secret. */
import { UrlReader } from "./url_reader.ts";

const KIND = {
  schemes: ["http:", "https:"],
  example: "https://user:password@host:8443",
  // The authority to check the server's certificate against, as a PEM file.
  parameters: ["sslrootcert"],
};
const DEFAULT_PORTS: Record<string, string> = { "http:": "8123", "https:": "8443" };

/** What {@linkcode parseClickHouseUrl} finds in a URL. */
export interface ClickHouseTarget {
  /** Scheme, host, port and nothing else. */
  url: string;
  username: string;
  password: string;
  ca: string | undefined;
  /** `host:port`, for messages. */
  server: string;
}

/**
 * Takes a URL such as `https://user:password@host:8443?sslrootcert=/ca.pem` apart. Certificates of `https` are always
 * verified. Tables are named in full (`shop.…`), so the URL names no database.
 *
 * @param name what to call the URL in messages
 * @throws {UsageError} with every mistake found, showing nothing of the URL but names of parameters
 */
export function parseClickHouseUrl(text: string, name = "the ClickHouse URL"): ClickHouseTarget {
  const reader = new UrlReader(text, KIND, name);
  const { url } = reader;
  if (!/^\/?$|^\/(default|shop)\/?$/.test(url.pathname)) {
    reader.wrong("the database", "the tables are always in shop");
  }
  const username = reader.decoded(url.username, "the user name") || "default";
  const password = reader.decoded(url.password, "the password");
  const isPlain = url.protocol === "http:";
  if (isPlain && url.searchParams.get("sslrootcert")) reader.wrong("sslrootcert", "the URL is not https");
  const ca = isPlain ? undefined : reader.file("sslrootcert");
  reader.finish();
  const server = `${url.hostname}:${url.port || DEFAULT_PORTS[url.protocol]}`;
  return { url: `${url.protocol}//${server}`, username, password, ca, server };
}
