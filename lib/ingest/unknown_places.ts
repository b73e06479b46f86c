/** Counts the places that a lookup of regions lacks, so that a person can add them. No I/O. */
import { CsvReader } from "./formats/csv_records.ts";
import { toPrintable } from "../console/printable.ts";
import { REGION_BY_NAME, REGIONS } from "../domain/sale.ts";

const [LINE_FEED, COMMA, QUOTE] = [10, 44, 34];
/** Places that are counted one by one, and of those named. */
const [MAX_COUNTED, MAX_NAMED] = [10_000, 20];

const ENCODED = REGIONS.map((region) => new TextEncoder().encode(region));

/** Lines of a place. */
interface Place {
  rows: number;
  /** File and line of the first. */
  file: string;
  line: number;
}

/** Places that are no region, with their lines. */
export class UnknownPlaces {
  readonly #places = new Map<string, Place>();
  readonly #decoder = new TextDecoder();
  #others = 0;

  /** Adds the region of a row, if it is none; an empty one is a missing value. */
  add(region: string, file: string, line: number): void {
    if (region === "" || REGION_BY_NAME.has(region.toLowerCase())) return;
    const place = this.#places.get(region);
    if (place) place.rows++;
    else if (this.#places.size < MAX_COUNTED) this.#places.set(region, { rows: 1, file, line });
    else this.#others++;
  }

  /**
   * Adds raw lines, of which the region is the last value; blank ones stand for excluded lines.
   *
   * @param firstLine line of the export that the first one comes from
   * @returns number of lines
   */
  addLines(bytes: Uint8Array, file: string, firstLine: number): number {
    let line = 0;
    for (let start = 0; start < bytes.length;) {
      let end = bytes.indexOf(LINE_FEED, start);
      if (end < 0) end = bytes.length;
      if (end > start && !endsWithRegion(bytes, end)) {
        this.add(lastValue(this.#decoder.decode(bytes.subarray(start, end))), file, firstLine + line);
      }
      start = end + 1;
      line++;
    }
    return line;
  }

  /** Returns a line for each place, the most frequent first; none when all have a region. */
  describe(): string[] {
    const sorted = [...this.#places].sort(([, a], [, b]) => b.rows - a.rows);
    const more = sorted.length - MAX_NAMED;
    const left = sorted.slice(MAX_NAMED).reduce((sum, [, { rows }]) => sum + rows, this.#others);
    return [
      ...sorted.slice(0, MAX_NAMED).map(([place, { rows, file, line }]) =>
        `${toPrintable(place)}: ${countLines(rows)}, the first is ${toPrintable(file)} line ${line}`
      ),
      ...(more > 0 ? [`${more} more places: ${countLines(left)}`] : []),
    ];
  }
}

function countLines(rows: number): string {
  return `${rows} ${rows === 1 ? "line" : "lines"}`;
}

/** Reports whether the last value of the line that ends here is the plain name of a region. */
function endsWithRegion(bytes: Uint8Array, end: number): boolean {
  return ENCODED.some((name) => {
    const start = end - name.length;
    if (start < 1 || bytes[start - 1] !== COMMA) return false;
    for (let index = 0; index < name.length; index++) if (bytes[start + index] !== name[index]) return false;
    return true;
  });
}

/** Returns the last value of a raw line; empty when it is no row of several values. */
function lastValue(line: string): string {
  if (line.charCodeAt(line.length - 1) !== QUOTE) {
    const comma = line.lastIndexOf(",");
    return comma < 0 ? "" : line.slice(comma + 1);
  }
  let last = "";
  new CsvReader({ delimiter: ",", quote: "csv" }).read(line, 1, true, (values) => {
    last = values && values.length > 1 ? values.at(-1)! : "";
  });
  return last;
}
