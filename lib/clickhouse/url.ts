/** A ClickHouse URL, taken apart once: what the client needs, and a name for the server that holds no secret. */
import { readFileSync } from "node:fs";
import { UsageError } from "../errors.ts";

/** Parameters that may follow the `?`: the authority to check the server's certificate against, as a PEM file. */
const PARAMETERS = ["sslrootcert"];
const DEFAULT_PORTS: Record<string, string> = { "http:": "8123", "https:": "8443" };

/** What {@linkcode parseClickHouseUrl} finds in a URL. */
export interface ClickHouseTarget {
  /** Scheme, host, port and nothing else. */
  url: string;
  username: string;
  password: string;
  ca: Uint8Array | undefined;
  /** `host:port`, for messages. */
  server: string;
}

function parse(url: string): URL {
  let parsed: URL | undefined;
  try {
    parsed = new URL(url);
  } catch {
    // The text may hold a password: it is not shown.
  }
  if (parsed && parsed.hostname && /^https?:$/.test(parsed.protocol)) return parsed;
  throw new UsageError(
    ["The ClickHouse URL cannot be understood (it is not shown: it may hold a password)"],
    "Write it as http://user:password@host:8123 or https://…:8443, with special characters of the password as %XX.",
  );
}

/**
 * Takes a URL such as `https://user:password@host:8443?sslrootcert=/ca.pem` apart. Certificates of `https` are always
 * verified. Tables are named in full (`shop.…`), so the URL names no database.
 *
 * @throws {UsageError} with every mistake found, never with the password
 */
export function parseClickHouseUrl(url: string): ClickHouseTarget {
  const parsed = parse(url);
  const mistakes: string[] = [];
  for (const name of parsed.searchParams.keys()) {
    if (!PARAMETERS.includes(name)) {
      mistakes.push(
        `Cannot use the parameter ${name} in the ClickHouse URL: it must be one of ${PARAMETERS.join(", ")}`,
      );
    }
  }
  if (!/^\/?$|^\/(default|shop)\/?$/.test(parsed.pathname)) {
    mistakes.push(
      `Cannot use the database ${
        parsed.pathname.slice(1)
      } in the ClickHouse URL: the tables are always in shop`,
    );
  }
  const decoded = (text: string, what: string) => {
    try {
      return decodeURIComponent(text);
    } catch {
      mistakes.push(
        `The ${what} in the ClickHouse URL has a % that is not followed by two hexadecimal digits`,
      );
      return "";
    }
  };
  const username = decoded(parsed.username, "user name") || "default";
  const password = decoded(parsed.password, "password");
  const path = parsed.searchParams.get("sslrootcert");
  let ca: Uint8Array | undefined;
  if (path && parsed.protocol === "http:") {
    mistakes.push("The ClickHouse URL names an sslrootcert but not https");
  } else if (path) {
    try {
      ca = readFileSync(path);
    } catch (error) {
      mistakes.push(`Cannot read the file of sslrootcert in the ClickHouse URL: ${(error as Error).message}`);
    }
  }
  if (mistakes.length > 0) throw new UsageError(mistakes);
  const server = `${parsed.hostname}:${parsed.port || DEFAULT_PORTS[parsed.protocol]}`;
  return { url: `${parsed.protocol}//${server}`, username, password, ca, server };
}
