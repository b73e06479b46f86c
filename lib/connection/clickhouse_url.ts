/** Parses ClickHouse URLs into client options and a server name without secrets. */
import { UrlReader } from "./url_reader.ts";

const FORMAT = {
  schemes: ["http:", "https:"],
  example: "https://user:password@host:8443",
  // PEM file of the certificate authority that the server's certificate is verified against.
  parameters: ["sslrootcert"],
};
const DEFAULT_PORTS: Record<string, string> = { "http:": "8123", "https:": "8443" };

/** Connection options, parsed by {@linkcode parseClickHouseUrl}. */
export interface ClickHouseTarget {
  /** Scheme, host and port only. */
  url: string;
  /** Decoded user name; `default` when the URL has none. */
  username: string;
  /** Decoded password; empty when the URL has none. */
  password: string;
  /** Certificate authority (PEM) to trust instead of the system's; undefined when the URL has none. */
  ca: string | undefined;
  /** `host:port`, for messages. */
  server: string;
}

/**
 * Parses a URL such as `https://user:password@host:8443?sslrootcert=/ca.pem`. With `https`, certificates are always verified.
 * Queries use qualified table names (`shop.…`), so the URL needs no database.
 *
 * @param name of the URL in messages
 * @throws {UsageError} listing all mistakes; quotes nothing of the URL but parameter names
 */
export function parseClickHouseUrl(text: string, name = "the ClickHouse URL"): ClickHouseTarget {
  const reader = new UrlReader(text, FORMAT, name);
  const { url } = reader;
  if (!/^\/?$|^\/(default|shop)\/?$/.test(url.pathname)) {
    reader.addMistake("the database", "the tables are always in shop");
  }
  const username = reader.decode(url.username, "the user name") || "default";
  const password = reader.decode(url.password, "the password");
  const isPlaintext = url.protocol === "http:";
  if (isPlaintext && url.searchParams.get("sslrootcert")) {
    reader.addMistake("sslrootcert", "the URL is not https");
  }
  const ca = isPlaintext ? undefined : reader.readFile("sslrootcert");
  reader.throwMistakes();
  const server = `${url.hostname}:${url.port || DEFAULT_PORTS[url.protocol]}`;
  return { url: `${url.protocol}//${server}`, username, password, ca, server };
}
