/** Where the databases are: from the environment or a file, never from flags, so that passwords stay out of process lists. */
import { UsageError } from "./errors.ts";

/** Connection URLs; undefined means the embedded database. */
export interface DatabaseUrls {
  postgresUrl: string | undefined;
  clickhouseUrl: string | undefined;
}

const KINDS = [
  {
    key: "postgresUrl",
    variable: "SALESFLOW_POSTGRES_URL",
    schemes: ["postgres:", "postgresql:"],
    example: "postgres://user:password@host:5432/database",
  },
  {
    key: "clickhouseUrl",
    variable: "SALESFLOW_CLICKHOUSE_URL",
    schemes: ["http:", "https:"],
    example: "https://user:password@host:8443",
  },
] as const;

function fromFile(variable: string, path: string, mistakes: string[]): string | undefined {
  try {
    return Deno.readTextFileSync(path).trim();
  } catch (error) {
    const why = error instanceof Deno.errors.NotFound ? "there is no such file" : "it cannot be read";
    mistakes.push(`Cannot use ${variable}_FILE=${path}: ${why}`);
    return undefined;
  }
}

/** What is wrong with a URL, without showing any of it: it may hold a password anywhere. */
function fault(text: string, schemes: readonly string[]): string | undefined {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return "it is not a URL";
  }
  if (!schemes.includes(url.protocol)) return `it must begin with ${schemes[0]}//`;
  if (url.hostname === "") return "it names no host";
  return undefined;
}

/**
 * Reads `SALESFLOW_POSTGRES_URL`, `SALESFLOW_CLICKHOUSE_URL`, or the files that the same names with `_FILE` point to.
 *
 * @throws {UsageError} naming every mistake at once
 */
export function databaseUrls(
  environment: (name: string) => string | undefined = (name) => Deno.env.get(name),
): DatabaseUrls {
  const mistakes: string[] = [];
  const urls: DatabaseUrls = { postgresUrl: undefined, clickhouseUrl: undefined };
  for (const { key, variable, schemes, example } of KINDS) {
    const direct = environment(variable);
    const path = environment(`${variable}_FILE`);
    if (direct && path) mistakes.push(`Set ${variable} or ${variable}_FILE, not both`);
    const text = direct || (path ? fromFile(variable, path, mistakes) : undefined);
    if (text === undefined || text === "") {
      if (path && text === "") mistakes.push(`Cannot use ${variable}_FILE=${path}: the file is empty`);
      continue;
    }
    const wrong = fault(text, schemes);
    if (wrong) {
      mistakes.push(
        `Cannot use ${direct ? variable : `${variable}_FILE=${path}`}: ${wrong}, such as ${example}`,
      );
    }
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
