/** What ingest tells about exports: exclusions with their amounts, and what deserves a look. */
import { escapePlaceholders, logger } from "../console/log.ts";
import { toPrintable } from "../console/printable.ts";
import { formatMoney, fromCents } from "../domain/money.ts";
import type { FileSummary } from "./chunks/map_file.ts";
import type { MappingRules } from "./chunks/mapper_set.ts";
import type { QuoteRemark } from "./formats/csv_records.ts";
import type { Excluded } from "./source/record_mapper.ts";

/** Quotes that are named one by one. */
const MAX_NAMED = 3;

function linesOf(remarks: readonly QuoteRemark[]): string {
  const named = remarks.slice(0, MAX_NAMED).map(({ line, lastLine }) =>
    line === lastLine ? `${line}` : `${line} to ${lastLine}`
  );
  const more = remarks.length - named.length;
  return named.join(", ") + (more > 0 ? ` and ${more} more` : "");
}

/** Returns what was excluded, a line for each rule. */
export function describeExclusions(excluded: ReadonlyMap<string, Excluded>): string[] {
  return [...excluded].map(([rule, { lines, cents }]) =>
    `excluded as ${rule}: ${lines} ${lines === 1 ? "line" : "lines"}, ${formatMoney(fromCents(cents))}`
  );
}

/** Logs what was excluded. */
export function logExclusions(excluded: ReadonlyMap<string, Excluded>): void {
  for (const line of describeExclusions(excluded)) logger("ingest").info(escapePlaceholders(line));
}

/** Logs places that a lookup of regions lacks. @param source path of the source file */
export function logUnknownPlaces(places: readonly string[], source: string): void {
  if (places.length === 0) return;
  logger("ingest").warn(
    escapePlaceholders(
      `the lookup of region in ${
        toPrintable(source)
      } lacks these; clean rejects their lines as unknown_region:\n  ${places.join("\n  ")}`,
    ),
  );
}

/**
 * Returns warnings about quotes over several lines, quotes without an end, and invalid bytes.
 *
 * @param encoding in which the file was read
 */
export function findWarnings(
  path: string,
  { remarks, hasInvalidBytes }: Pick<FileSummary, "remarks" | "hasInvalidBytes">,
  encoding: string,
  { copies, source }: Pick<MappingRules, "copies" | "source">,
): string[] {
  const setting = copies ? "--encoding" : `format: {encoding: …} in ${source.path}`;
  const file = toPrintable(path);
  const spans = remarks.filter(({ kind }) => kind === "spans");
  const lone = remarks.filter(({ kind }) => kind === "lone");
  return [
    ...(spans.length > 0
      ? [
        `${file}: quoted values with line breaks on lines ${linesOf(spans)}. ` +
        "If a stray quote joined these lines, say format: {quote: none} in a source file",
      ]
      : []),
    ...(lone.length > 0
      ? [`${file}: a quote without an end was read as a character on lines ${linesOf(lone)}`]
      : []),
    ...(hasInvalidBytes
      ? [`${file} holds bytes that are invalid in ${encoding}; set its encoding with ${setting}`]
      : []),
  ];
}

/** Logs {@linkcode findWarnings}. */
export function logWarnings(...of: Parameters<typeof findWarnings>): void {
  for (const warning of findWarnings(...of)) logger("ingest").warn(escapePlaceholders(warning));
}
