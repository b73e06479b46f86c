/** Where the databases are: from the environment or a file, never from flags, so that passwords stay out of process lists. */
import { parseClickHouseUrl } from "./clickhouse_url.ts";
import { UsageError, usageErrorOf } from "../console/errors.ts";
import { maskUrl } from "./mask_url.ts";
import { parsePostgresUrl } from "./postgres_url.ts";

/** Looks up a variable. */
export type Environment = (name: string) => string | undefined;

/** Connection URLs; undefined means the embedded database. */
export interface DatabaseUrls {
  postgresUrl: string | undefined;
  clickhouseUrl: string | undefined;
}

const KINDS = [
  { key: "postgresUrl", variable: "SALESFLOW_POSTGRES_URL", parse: parsePostgresUrl },
  { key: "clickhouseUrl", variable: "SALESFLOW_CLICKHOUSE_URL", parse: parseClickHouseUrl },
] as const;

function fromFile(origin: string, path: string, mistakes: string[]): string | undefined {
  try {
    return Deno.readTextFileSync(path).trim();
  } catch (error) {
    const why = error instanceof Deno.errors.NotFound ? "there is no such file" : "it cannot be read";
    mistakes.push(`Cannot use ${origin}: ${why}`);
    return undefined;
  }
}

/**
 * Reads `SALESFLOW_POSTGRES_URL`, `SALESFLOW_CLICKHOUSE_URL`, or the files that the same names with `_FILE` point to,
 * and takes the URLs apart, so that every mistake is known before anything is touched.
 *
 * @throws {UsageError} naming every mistake at once
 */
export function databaseUrls(environment: Environment = (name) => Deno.env.get(name)): DatabaseUrls {
  const mistakes: string[] = [];
  const urls: DatabaseUrls = { postgresUrl: undefined, clickhouseUrl: undefined };
  for (const { key, variable, parse } of KINDS) {
    const direct = environment(variable);
    const path = environment(`${variable}_FILE`);
    // Whoever mixes the two up has a password where a path belongs.
    const origin = direct || !path ? variable : `${variable}_FILE=${maskUrl(path)}`;
    if (direct && path) mistakes.push(`Set ${variable} or ${variable}_FILE, not both`);
    const text = direct || (path ? fromFile(origin, path, mistakes) : undefined);
    if (text === undefined || text === "") {
      if (path && text === "") mistakes.push(`Cannot use ${origin}: the file is empty`);
      continue;
    }
    mistakes.push(...usageErrorOf(() => parse(text, origin))?.mistakes ?? []);
    urls[key] = text;
  }
  if (mistakes.length > 0) {
    throw new UsageError(
      mistakes,
      "Characters of a password that mean something in a URL must be percent-encoded.",
    );
  }
  return urls;
}
