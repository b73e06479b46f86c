/** The names of regions that the data contract knows. */

const NAMES = [["north", "n", "север"], ["south", "s", "юг"], ["east", "e", "восток"], [
  "west",
  "w",
  "запад",
]];
const REGION_BY_NAME = new Map(
  NAMES.flatMap((names, region) => names.map((name) => [name, region] as const)),
);

/** Returns the index in REGIONS of a region, by a name in any case; undefined for other text. */
export function regionIndex(text: string): number | undefined {
  return REGION_BY_NAME.get(text.toLowerCase());
}
