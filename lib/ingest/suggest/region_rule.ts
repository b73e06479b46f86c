/** Suggests the rule of region: a lookup of the places that an export names, for a person to fill in. No I/O. */
import { REGION_BY_NAME, REGIONS } from "../../domain/sale.ts";
import { toPrintable } from "../../console/printable.ts";
import { type Column, countValues } from "./column_stats.ts";
import { describeFilled, type Findings, type SuggestedRule } from "./findings.ts";
import { UNDECIDED } from "../source/undecided.ts";
import { columnRule, scalar } from "./yaml_text.ts";

/** Places that are listed; a person does not fill in more. */
const MAX_PLACES = 500;
/** Kinds of places above which another column serves better. */
const MANY_PLACES = 200;

/** Of the columns by their names, takes one that tells places apart, and does not have too many. */
function choose(candidates: readonly Column[]): Column | undefined {
  const counted = candidates.map((column) => ({ column, places: countValues(column.filled).length }));
  return (counted.find(({ places, column }) =>
    places > 1 && places <= MANY_PLACES && column.filled.length * 3 >= column.rows
  ) ??
    counted.find(({ places }) => places > 1 && places <= MANY_PLACES) ??
    counted.find(({ places }) => places > 1) ?? counted[0])?.column;
}

/** Suggests region. */
export function suggestRegion(findings: Findings): SuggestedRule {
  const candidates = findings.all("region");
  const column = choose(candidates);
  if (!column) {
    return {
      comments: [
        `DECIDE: where was it sold? No column tells. For a shop in one region: {value: ${REGIONS[0]}} (or ${
          REGIONS.slice(1).join(", ")
        })`,
      ],
      value: UNDECIDED,
      uses: [],
    };
  }
  const others = candidates.filter(({ index }) => index !== column.index).slice(0, 6)
    .map((other) => `${other.name} (${countValues(other.filled).length} values)`);
  const counts = countValues(column.filled);
  const remarks = [
    `${column.name}: ${describeFilled(column)}, ${counts.length} ${counts.length === 1 ? "value" : "values"}`,
    ...(others.length > 0 ? [`Other places: ${others.join(", ")}`] : []),
  ];
  if (counts.every(([place]) => REGION_BY_NAME.has(place.toLowerCase()))) {
    return { comments: remarks, value: columnRule(column.name), uses: [column] };
  }
  const listed = counts.slice(0, MAX_PLACES);
  const left = counts.slice(MAX_PLACES);
  const keys = listed.map(([place, count]) => {
    const region = REGION_BY_NAME.get(place.toLowerCase());
    const lines = `# ${count} ${count === 1 ? "line" : "lines"}`;
    return `    ${scalar(toPrintable(place, 500))}: ${
      region === undefined ? UNDECIDED : REGIONS[region]
    } ${lines}`;
  });
  return {
    comments: [
      ...remarks,
      `DECIDE: which region is each of these in? Write ${REGIONS.join(", ")} in place of DECIDE. ` +
      "Lines of a place that is not in the table are rejected as unknown_region, unless there is a default: REGION below it",
      ...(left.length > 0
        ? [
          `${left.length} more places, with ${
            left.reduce((sum, [, count]) => sum + count, 0)
          } lines, are not listed; they need a default`,
        ]
        : []),
    ],
    value: [`column: ${scalar(column.name)}`, "lookup:", ...keys.map((line) => line.slice(2))],
    uses: [column],
  };
}
