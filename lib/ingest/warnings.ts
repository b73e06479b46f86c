/** Warnings about what in an export deserves a look. */
import { logger } from "../console/log.ts";
import type { QuoteRemark } from "./formats/csv_records.ts";
import type { FileSummary } from "./chunks/map_file.ts";

/** Quotes that are named one by one. */
const MAX_NAMED = 3;

function linesOf(remarks: readonly QuoteRemark[]): string {
  const named = remarks.slice(0, MAX_NAMED).map(({ line, lastLine }) =>
    line === lastLine ? `${line}` : `${line} to ${lastLine}`
  );
  const more = remarks.length - named.length;
  return named.join(", ") + (more > 0 ? ` and ${more} more` : "");
}

/** Warns about quotes over several lines, quotes without an end, and invalid bytes. */
export function warnAboutFile(
  path: string,
  { remarks, hasInvalidBytes }: FileSummary,
  { encoding, setting }: { encoding: string; setting: string },
): void {
  const log = logger("ingest");
  const spans = remarks.filter(({ kind }) => kind === "spans");
  if (spans.length > 0) {
    log.warn(
      "{path}: quoted values with line breaks on lines {lines}. If a stray quote joined these lines, set format: {{quote: none}} in a source file",
      { path, lines: linesOf(spans) },
    );
  }
  const lone = remarks.filter(({ kind }) => kind === "lone");
  if (lone.length > 0) {
    log.warn("{path}: a quote without an end was read as a character on lines {lines}", {
      path,
      lines: linesOf(lone),
    });
  }
  if (hasInvalidBytes) {
    log.warn("{path} holds bytes that are invalid in {encoding}; set its encoding with {setting}", {
      path,
      encoding,
      setting,
    });
  }
}
