/**
 * Settings in files: `.env` and `salesflow.yaml` in the working folder, or where `SALESFLOW_ENV_FILE` and `SALESFLOW_CONFIG`
 * say. Their values become environment variables of this process, unless the environment or an earlier file sets them, so
 * that everything reads settings in one way: flag, environment, `.env`, `salesflow.yaml`, default.
 */
import { join } from "node:path";
import { parseEnv } from "node:util";
import type { Environment } from "../lib/connection/database_urls.ts";
import { UsageError } from "../lib/console/errors.ts";
import { callerDirectory, resolveFromCaller } from "./paths.ts";
import { isOfOtherPart, NOT_IN_FILES } from "./variables.ts";

/** Values of a file by variable. */
export interface SettingsFile {
  /** Path. */
  path: string;
  /** Values by the name of their variable. */
  values: ReadonlyMap<string, string>;
}

/** Variables that belong together: when one is set, files that come later in the order do not add another. */
const GROUPS = [
  ["SALESFLOW_POSTGRES_URL", "SALESFLOW_POSTGRES_URL_FILE"],
  ["SALESFLOW_CLICKHOUSE_URL", "SALESFLOW_CLICKHOUSE_URL_FILE"],
  ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"],
];

/** Parses `.env`. Variables of other programs, and of other parts of this project, are left out. */
export function parseEnvFile(path: string, text: string): SettingsFile {
  const isOurs = (name: string) =>
    /^(SALESFLOW|AWS)_/.test(name) && !NOT_IN_FILES.includes(name) && !isOfOtherPart(name);
  const entries = Object.entries(parseEnv(text) as Record<string, string>);
  return { path, values: new Map(entries.filter(([name, value]) => isOurs(name) && value !== "")) };
}

/**
 * Returns what files add to the environment, the first file first, with the file of each value.
 *
 * @param environment returns what is set already; an empty value counts as not set
 */
export function mergeSettings(
  environment: Environment,
  files: readonly SettingsFile[],
): Map<string, { value: string; path: string }> {
  const added = new Map<string, { value: string; path: string }>();
  for (const { path, values } of files) {
    const isSet = (name: string) => !!environment(name) || added.has(name);
    const taken = GROUPS.filter((group) => group.some(isSet)).flat();
    const news = [...values].filter(([name]) => !isSet(name) && !taken.includes(name));
    for (const [name, value] of news) added.set(name, { value, path });
  }
  return added;
}

/** Reads a file; undefined when none is named by the variable and there is none of the usual name. */
function readFile(variable: string, usualName: string): { path: string; text: string } | undefined {
  const named = Deno.env.get(variable);
  const path = named ? resolveFromCaller(named) : join(callerDirectory(), usualName);
  try {
    return { path, text: Deno.readTextFileSync(path) };
  } catch (error) {
    // A folder of the usual name belongs to something else.
    const isAbsent = error instanceof Deno.errors.NotFound || error instanceof Deno.errors.IsADirectory ||
      (error instanceof Error && (error as { code?: string }).code === "EISDIR");
    if (isAbsent && !named) return undefined;
    const why = error instanceof Deno.errors.NotFound ? "there is no such file" : "it cannot be read";
    throw new UsageError(
      [`Cannot read the settings in ${path}: ${why}`],
      `Correct it, or name another file in ${variable}; /dev/null stands for none.`,
    );
  }
}

const origins = new Map<string, string>();

/**
 * Reads both files into the environment of this process.
 *
 * @throws {UsageError} when a file cannot be read or parsed
 */
export async function loadSettingsFiles(): Promise<void> {
  const env = readFile("SALESFLOW_ENV_FILE", ".env");
  const config = readFile("SALESFLOW_CONFIG", "salesflow.yaml");
  const files = [
    ...(env ? [parseEnvFile(env.path, env.text)] : []),
    // Loaded on demand, to start fast.
    ...(config ? [(await import("./config_file.ts")).parseConfigFile(config.path, config.text)] : []),
  ];
  for (const [name, { value, path }] of mergeSettings((name) => Deno.env.get(name), files)) {
    Deno.env.set(name, value);
    origins.set(name, path);
  }
}

/** Returns the file that set a variable; undefined when it comes from the environment, or from nowhere. */
export function originOf(variable: string): string | undefined {
  return origins.get(variable);
}

/** Adds, to each mistake that names a variable which a file set, the path of that file. */
export function nameOrigins(mistakes: readonly string[]): string[] {
  return mistakes.map((mistake) => {
    const names = [...new Set(mistake.match(/\b(SALESFLOW|AWS)_[A-Z0-9_]+/g) ?? [])];
    const paths = [...new Set(names.flatMap((name) => origins.get(name) ?? []))];
    return paths.length > 0 ? `${mistake} (set in ${paths.join(" and ")})` : mistake;
  });
}
