/** A PostgreSQL connection URL, taken apart once: what the driver needs, and a name for the server that holds no secret. */
import { UrlReader } from "./url_reader.ts";

const DEFAULT_PORT = 5432;
const DEFAULT_CONNECT_TIMEOUT_S = 10;

/** The meaning of the parameters is libpq's. */
const KIND = {
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

/** How the connection is encrypted, in the words of Node's TLS. */
export interface TlsOptions {
  rejectUnauthorized: boolean;
  ca?: string;
  cert?: string;
  key?: string;
  /** Set when the certificate's name is not to be compared. */
  checkServerIdentity?: () => undefined;
}

/** What {@linkcode parsePostgresUrl} finds in a URL. */
export interface PostgresTarget {
  host: string;
  port: number;
  user: string;
  password: string | undefined;
  database: string;
  ssl: TlsOptions | false;
  connectTimeoutMs: number;
  /** `host:port/database`, for messages. */
  server: string;
}

/** As libpq: `require` encrypts and looks at the certificate only when there is an authority to check it against. */
function tlsOptions(reader: UrlReader): TlsOptions | false {
  const mode = reader.url.searchParams.get("sslmode") ?? "disable";
  if (!SSL_MODES.includes(mode as typeof SSL_MODES[number])) {
    reader.wrong("sslmode", `it must be one of ${SSL_MODES.join(", ")}`);
  }
  if (mode === "disable") return false;
  const [ca, cert, key] = ["sslrootcert", "sslcert", "sslkey"].map((name) => reader.file(name));
  return {
    rejectUnauthorized: mode !== "require" || ca !== undefined,
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(mode === "verify-full" ? {} : { checkServerIdentity: () => undefined }),
  };
}

/**
 * Takes a URL such as `postgresql://user:password@host:5432/database?sslmode=verify-full&sslrootcert=/ca.pem` apart.
 * Without `sslmode` the connection is not encrypted.
 *
 * @param name what to call the URL in messages
 * @throws {UsageError} with every mistake found, showing nothing of the URL but names of parameters
 */
export function parsePostgresUrl(text: string, name = "the PostgreSQL URL"): PostgresTarget {
  const reader = new UrlReader(text, KIND, name);
  const { url } = reader;
  const seconds = url.searchParams.get("connect_timeout") ?? String(DEFAULT_CONNECT_TIMEOUT_S);
  if (!/^[1-9]\d{0,3}$/.test(seconds)) reader.wrong("connect_timeout", "it must be 1 to 9999 seconds");
  const host = url.searchParams.get("host") ?? url.hostname.replace(/^\[(.*)\]$/, "$1");
  const port = Number(url.port || DEFAULT_PORT);
  const user = reader.decoded(url.username, "the user name");
  const password = reader.decoded(url.password, "the password");
  const database = reader.decoded(url.pathname.slice(1), "the database name") || user;
  if (url.username === "") reader.mistakes.push(`Cannot use ${name}: it names no user`);
  const ssl = tlsOptions(reader);
  reader.finish();
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
