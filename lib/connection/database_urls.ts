/** Reads connection URLs from environment variables or files. Flags would show passwords in process lists. */
import { parseClickHouseUrl } from "./clickhouse_url.ts";
import { catchUsageError, UsageError } from "../console/errors.ts";
import { maskUrl } from "./mask_url.ts";
import { parsePostgresUrl } from "./postgres_url.ts";

/** Returns the value of an environment variable. */
export type Environment = (name: string) => string | undefined;

/** Connection URLs; undefined means the embedded database. */
export interface DatabaseUrls {
  /** URL of PostgreSQL, with password. */
  postgresUrl: string | undefined;
  /** URL of ClickHouse, with password. */
  clickhouseUrl: string | undefined;
}

const DATABASES = [
  { key: "postgresUrl", variable: "SALESFLOW_POSTGRES_URL", parse: parsePostgresUrl },
  { key: "clickhouseUrl", variable: "SALESFLOW_CLICKHOUSE_URL", parse: parseClickHouseUrl },
] as const;

function readUrlFile(origin: string, path: string, mistakes: string[]): string | undefined {
  try {
    return Deno.readTextFileSync(path).trim();
  } catch (error) {
    const why = error instanceof Deno.errors.NotFound ? "there is no such file" : "it cannot be read";
    mistakes.push(`Cannot use ${origin}: ${why}`);
    return undefined;
  }
}

/**
 * Reads `SALESFLOW_POSTGRES_URL` and `SALESFLOW_CLICKHOUSE_URL`, or the files named by the same variables with the suffix
 * `_FILE`. Parses the URLs, so that mistakes are reported before a command changes anything.
 *
 * @throws {UsageError} listing all mistakes
 */
export function readDatabaseUrls(environment: Environment = (name) => Deno.env.get(name)): DatabaseUrls {
  const mistakes: string[] = [];
  let isUnparsed = false;
  const urls: DatabaseUrls = { postgresUrl: undefined, clickhouseUrl: undefined };
  for (const { key, variable, parse } of DATABASES) {
    const direct = environment(variable);
    const path = environment(`${variable}_FILE`);
    // A URL set as _FILE by mistake may contain a password.
    const origin = direct || !path ? variable : `${variable}_FILE=${maskUrl(path)}`;
    if (direct && path) mistakes.push(`Set ${variable} or ${variable}_FILE, not both`);
    const text = direct || (path ? readUrlFile(origin, path, mistakes) : undefined);
    if (text === undefined || text === "") {
      if (path && text === "") mistakes.push(`Cannot use ${origin}: the file is empty`);
      continue;
    }
    const unparsed = catchUsageError(() => parse(text, origin));
    if (unparsed) isUnparsed = true;
    mistakes.push(...unparsed?.mistakes ?? []);
    urls[key] = text;
  }
  if (mistakes.length > 0) {
    throw new UsageError(
      mistakes,
      isUnparsed ? "Percent-encode special characters in passwords." : undefined,
    );
  }
  return urls;
}
