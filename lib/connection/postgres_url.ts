/** Parses PostgreSQL connection URLs into driver options and a server name without secrets. */
import { UrlReader } from "./url_reader.ts";

const DEFAULT_PORT = 5432;
const DEFAULT_CONNECT_TIMEOUT_S = 10;

/** The parameters have the same meaning as in libpq. */
const FORMAT = {
  schemes: ["postgres:", "postgresql:"],
  example: "postgres://user:password@host:5432/database",
  parameters: [
    "sslmode",
    "sslrootcert",
    "sslcert",
    "sslkey",
    "connect_timeout",
    "application_name",
    "host",
  ],
};
const SSL_MODES = ["disable", "require", "verify-ca", "verify-full"] as const;

/** Encryption of a connection, as options of Node's TLS. */
export interface TlsOptions {
  /** Whether the server's certificate must be signed by a trusted authority. */
  rejectUnauthorized: boolean;
  /** Certificate authority (PEM) to trust instead of the system's. */
  ca?: string;
  /** Client certificate (PEM). */
  cert?: string;
  /** Private key (PEM) of the client certificate. */
  key?: string;
  /** Set when the host name in the certificate is not verified. */
  checkServerIdentity?: () => undefined;
}

/** Connection options, parsed by {@linkcode parsePostgresUrl}. */
export interface PostgresTarget {
  /** Host name, IP address, or folder of a Unix socket. */
  host: string;
  /** Port; 5432 when the URL has none. */
  port: number;
  /** Decoded user name. */
  user: string;
  /** Decoded password; undefined when the URL has none. */
  password: string | undefined;
  /** Decoded database name; the user name when the URL has none. */
  database: string;
  /** TLS options; false for an unencrypted connection. */
  ssl: TlsOptions | false;
  /** Timeout for connecting. */
  connectTimeoutMs: number;
  /** `host:port/database`, for messages. */
  server: string;
}

/** Reads the TLS parameters. As in libpq, `require` verifies the certificate only if there is an `sslrootcert`. */
function readTlsOptions(reader: UrlReader): TlsOptions | false {
  const mode = reader.url.searchParams.get("sslmode") ?? "disable";
  if (!SSL_MODES.includes(mode as typeof SSL_MODES[number])) {
    reader.addMistake("sslmode", `it must be one of ${SSL_MODES.join(", ")}`);
  }
  if (mode === "disable") return false;
  const [ca, cert, key] = ["sslrootcert", "sslcert", "sslkey"].map((name) => reader.readFile(name));
  return {
    rejectUnauthorized: mode !== "require" || ca !== undefined,
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(mode === "verify-full" ? {} : { checkServerIdentity: () => undefined }),
  };
}

/**
 * Parses a URL such as `postgresql://user:password@host:5432/database?sslmode=verify-full&sslrootcert=/ca.pem`.
 * Without `sslmode`, the connection is not encrypted.
 *
 * @param name of the URL in messages
 * @throws {UsageError} listing all mistakes; quotes nothing of the URL but parameter names
 */
export function parsePostgresUrl(text: string, name = "the PostgreSQL URL"): PostgresTarget {
  const reader = new UrlReader(text, FORMAT, name);
  const { url } = reader;
  const seconds = url.searchParams.get("connect_timeout") ?? String(DEFAULT_CONNECT_TIMEOUT_S);
  if (!/^[1-9]\d{0,3}$/.test(seconds)) reader.addMistake("connect_timeout", "it must be 1 to 9999 seconds");
  const host = url.searchParams.get("host") ?? url.hostname.replace(/^\[(.*)\]$/, "$1");
  const port = Number(url.port || DEFAULT_PORT);
  const user = reader.decode(url.username, "the user name");
  const password = reader.decode(url.password, "the password");
  const database = reader.decode(url.pathname.slice(1), "the database name") || user;
  if (url.username === "") reader.mistakes.push(`Cannot use ${name}: it has no user name`);
  const ssl = readTlsOptions(reader);
  reader.throwMistakes();
  return {
    host,
    port,
    user,
    password: password || undefined,
    database,
    ssl,
    connectTimeoutMs: Number(seconds) * 1000,
    server: `${host}:${port}/${database}`,
  };
}
