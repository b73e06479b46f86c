/** Suggests the rule of sale_date. No I/O. */
import type { Column } from "./column_stats.ts";
import { findDates, type FoundDates } from "./date_formats.ts";
import { type Findings, type SuggestedRule, undecided } from "./findings.ts";
import { columnRule, list, scalar } from "./yaml_text.ts";

function describe(column: Column, { looks, fitting, values, evidence }: FoundDates): string {
  return `${column.name}: ${fitting} of ${values} values look like ${looks.slice(0, 4).join(" or ")}${
    evidence ? `; ${evidence}` : ""
  }`;
}

/** Decides about the order of day and month by the other dates of the export, when the column itself does not tell. */
function withOrderOf(dates: FoundDates, columns: readonly Column[]): FoundDates {
  if (!dates.otherFormats) return dates;
  for (const { name, filled } of columns) {
    const other = findDates(filled);
    const [format] = other?.formats ?? [];
    if (!other?.evidence || format === undefined) continue;
    const isDayFirst = format.startsWith("d");
    const { otherFormats, formats, ...rest } = dates;
    const chosen = isDayFirst ? formats : otherFormats;
    return { ...rest, formats: chosen, looks: chosen, evidence: `in ${name}, ${other.evidence}` };
  }
  return dates;
}

/** Suggests sale_date. */
export function suggestDate(findings: Findings): SuggestedRule {
  const named = findings.best("date");
  const holding = named
    ? []
    : findings.columns.filter(({ filled, rows }) =>
      filled.length > rows / 2 && findDates(filled.slice(0, 500)) !== undefined
    );
  const column = named ?? (holding.length === 1 ? holding[0] : undefined);
  if (!column) {
    return undecided(
      "which column is the date of the sale?",
      holding.length > 0 ? holding : findings.columns.filter(({ filled }) => filled.length > 0),
    );
  }
  const dates = withOrderOf(findDates(column.filled)!, findings.all("date"));
  const comments = [describe(column, dates)];
  if (dates.otherFormats) {
    const options = `${dates.formats[0]} or ${dates.otherFormats[0]}`;
    return {
      comments: [
        ...comments,
        "DECIDE: is the day first, or the month? No value has a number above 12 that would tell",
      ],
      value: `{column: ${scalar(column.name)}, format: ${JSON.stringify(`DECIDE: ${options}`)}}`,
      uses: [column],
    };
  }
  const others = findings.all("date").slice(1, 5).map(({ name }) => name);
  if (others.length > 0) comments.push(`Other dates: ${others.join(", ")}`);
  const [format] = dates.formats;
  // Amazon's reports have the time of the Pacific coast.
  const zone = dates.formats.some((each) => /'P[SD]T'/.test(each)) ? ", time_zone: America/Los_Angeles" : "";
  const value = format === undefined
    ? columnRule(column.name)
    : dates.formats.length === 1
    ? `{column: ${scalar(column.name)}, format: ${JSON.stringify(format)}${zone}}`
    : `{column: ${scalar(column.name)}, formats: ${list(dates.formats)}${zone}}`;
  return { comments, value, uses: [column] };
}
