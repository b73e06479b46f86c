/** A PostgreSQL connection URL, taken apart once: what the driver needs, and a name for the server that holds no secret. */
import { readFileSync } from "node:fs";
import { UsageError } from "../errors.ts";

const DEFAULT_PORT = 5432;
const DEFAULT_CONNECT_TIMEOUT_S = 10;

/** Parameters that may follow the `?`; their meaning is libpq's. */
const PARAMETERS = [
  "sslmode",
  "sslrootcert",
  "sslcert",
  "sslkey",
  "connect_timeout",
  "application_name",
  "host",
] as const;
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

function readPem(path: string, parameter: string, mistakes: string[]): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    mistakes.push(`Cannot read the file of ${parameter} in the PostgreSQL URL: ${(error as Error).message}`);
    return "";
  }
}

/** As libpq: `require` encrypts and looks at the certificate only when there is an authority to check it against. */
function tlsOptions(parameters: URLSearchParams, mistakes: string[]): TlsOptions | false {
  const mode = parameters.get("sslmode") ?? "disable";
  if (!SSL_MODES.includes(mode as typeof SSL_MODES[number])) {
    mistakes.push(
      `Cannot use sslmode=${mode} in the PostgreSQL URL: it must be one of ${SSL_MODES.join(", ")}`,
    );
  }
  if (mode === "disable") return false;
  const pem = (parameter: string) => {
    const path = parameters.get(parameter);
    return path ? readPem(path, parameter, mistakes) : undefined;
  };
  const [ca, cert, key] = ["sslrootcert", "sslcert", "sslkey"].map(pem);
  return {
    rejectUnauthorized: mode !== "require" || ca !== undefined,
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(mode === "verify-full" ? {} : { checkServerIdentity: () => undefined }),
  };
}

function parse(url: string): URL {
  let parsed: URL | undefined;
  try {
    parsed = new URL(url);
  } catch {
    // The text may hold a password: it is not shown.
  }
  if (parsed && /^postgres(ql)?:$/.test(parsed.protocol)) return parsed;
  throw new UsageError(
    ["The PostgreSQL URL cannot be understood (it is not shown: it may hold a password)"],
    "Write it as postgresql://user:password@host:5432/database, with special characters of the password as %XX.",
  );
}

function decoded(text: string, what: string, mistakes: string[]): string {
  try {
    return decodeURIComponent(text);
  } catch {
    mistakes.push(`The ${what} in the PostgreSQL URL has a % that is not followed by two hexadecimal digits`);
    return "";
  }
}

/**
 * Takes a URL such as `postgresql://user:password@host:5432/database?sslmode=verify-full&sslrootcert=/ca.pem` apart.
 * Without `sslmode` the connection is not encrypted.
 *
 * @throws {UsageError} with every mistake found, never with the password
 */
export function parsePostgresUrl(url: string): PostgresTarget {
  const parsed = parse(url);
  const mistakes: string[] = [];
  const parameters = parsed.searchParams;
  for (const name of parameters.keys()) {
    if (!PARAMETERS.includes(name as typeof PARAMETERS[number])) {
      mistakes.push(
        `Cannot use the parameter ${name} in the PostgreSQL URL: it must be one of ${PARAMETERS.join(", ")}`,
      );
    }
  }
  const seconds = parameters.get("connect_timeout") ?? String(DEFAULT_CONNECT_TIMEOUT_S);
  if (!/^[1-9]\d{0,3}$/.test(seconds)) {
    mistakes.push(
      `Cannot use connect_timeout=${seconds} in the PostgreSQL URL: it must be 1 to 9999 seconds`,
    );
  }
  const host = parameters.get("host") ?? parsed.hostname.replace(/^\[(.*)\]$/, "$1");
  const port = Number(parsed.port || DEFAULT_PORT);
  const user = decoded(parsed.username, "user name", mistakes);
  const password = decoded(parsed.password, "password", mistakes);
  const database = decoded(parsed.pathname.slice(1), "database name", mistakes) || user;
  if (!user) mistakes.push("The PostgreSQL URL names no user");
  const ssl = tlsOptions(parameters, mistakes);
  if (mistakes.length > 0) throw new UsageError(mistakes);
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
