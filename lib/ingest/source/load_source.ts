/** Loads a source file with its lookup tables, from a path or an `s3://` URL. */
import { resolve } from "node:path";
import { UsageError } from "../../console/errors.ts";
import { isUrl, openStore } from "../../store/open_store.ts";
import { unreadableFile } from "../formats/file_error.ts";
import type { LookupText, MappingRules } from "../chunks/mapper_set.ts";
import { folderOf } from "../inputs.ts";
import { withDefaults } from "./header_names.ts";
import { LookupTable } from "./lookup_table.ts";
import { parseSourceFile, type SourceFile } from "./source_file.ts";

/** Reads a text; undefined when there is no such file. */
async function readText(location: string): Promise<string | undefined> {
  if (isUrl(location)) {
    const cut = location.lastIndexOf("/");
    return await openStore(location.slice(0, cut)).readText(location.slice(cut + 1));
  }
  try {
    return await Deno.readTextFile(location);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw unreadableFile(location, error);
  }
}

/** Returns the lookup tables in files that a source file names, with the number of columns that are looked up. */
function findLookups(source: SourceFile): { path: string; columns: number; column: string }[] {
  return Object.entries(source.columns).flatMap(([column, rule]) =>
    withDefaults(rule).flatMap((each) =>
      each.kind === "lookup" && "path" in each.table
        ? [{ path: each.table.path, columns: each.columns.length, column }]
        : []
    )
  );
}

function locateLookup(path: string, source: string): string {
  const base = folderOf(source);
  return isUrl(path) ? path : isUrl(base) ? `${base}/${path}` : resolve(base, path);
}

/** Returns the absolute paths or URLs of lookups in files, which are no exports when they lie among them. */
export function lookupLocations({ source, lookups }: MappingRules): Set<string> {
  return new Set(lookups.map(({ path }) => locateLookup(path, source.path)));
}

/**
 * Loads a source file and its lookup tables.
 *
 * @param location absolute path or `s3://` URL
 * @throws {UsageError} with all mistakes, when it does not exist, cannot be parsed, or names lookups that cannot be read
 */
export async function loadSource(location: string): Promise<MappingRules> {
  const yaml = await readText(location);
  if (yaml === undefined) throw new UsageError([`There is no source file ${location}`]);
  const source = parseSourceFile(yaml, location);
  const lookups = new Map<string, LookupText>();
  const mistakes: string[] = [];
  let remedy: string | undefined;
  for (const { path, columns, column } of findLookups(source)) {
    const known = lookups.get(path);
    if (known && known.columns !== columns) {
      mistakes.push(
        `${location}: the lookup ${path} of ${column} is used with ${columns} and with ${known.columns} columns`,
      );
    }
    if (known) continue;
    const where = locateLookup(path, location);
    const text = await readText(where);
    if (text === undefined) {
      mistakes.push(`${location}: there is no lookup ${where} (for ${column})`);
      continue;
    }
    try {
      LookupTable.parse(text, columns, where);
      lookups.set(path, { path, columns, text });
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      mistakes.push(...error.mistakes);
      remedy ??= error.remedy;
    }
  }
  if (mistakes.length > 0) throw new UsageError(mistakes, remedy);
  return { source, lookups: [...lookups.values()], copies: false };
}
