/** Second pass over a range: accepted lines go to the clean part, refused ones with origin and reason to the rejected part. */
import { REASONS, REJECTED_HEADER, SALE_HEADER } from "../domain/sale.ts";
import type { Part } from "../dataset/dataset.ts";
import { PartWriter } from "../dataset/part_writer.ts";
import type { Store } from "../store/store.ts";
import { lineText, readRow } from "./validate.ts";
import { forEachLine } from "./lines.ts";
import { canonicalLine, type DayRange, LONGEST_LINE_BYTES } from "./rules.ts";
import { CANONICAL, CONVERTED, REJECTED } from "./row_status.ts";

const LINE_FEED = 10;
const encoder = new TextEncoder();

/** What to write where. */
export interface WritePartsOptions {
  store: Store;
  cleanFolder: string;
  rejectedFolder: string;
  /** Name of the part in both folders. */
  name: string;
  /** Raw part that the lines come from. */
  rawPart: string;
  /** Lines of the raw part before `bytes`. */
  linesBefore: number;
  dayRange: DayRange;
}

/** A line of the rejected part; the contract says what becomes of broken bytes, NUL and very long lines. */
function rejectedLine(bytes: Uint8Array, start: number, end: number, origin: string): string {
  const raw = lineText(bytes, start, Math.min(end, start + LONGEST_LINE_BYTES)).replaceAll("\0", "\ufffd");
  return `${origin},"${raw.replaceAll('"', '""')}"\n`;
}

/** Clean and rejected bytes of a range. Runs of lines that stay as they are are copied whole. */
function divide(
  bytes: Uint8Array,
  statuses: Uint8Array,
  { rawPart, linesBefore, dayRange }: WritePartsOptions,
): { clean: Uint8Array[]; cleanRows: number; rejected: string[] } {
  const clean: Uint8Array[] = [];
  const rejected: string[] = [];
  let cleanRows = 0;
  let line = 0;
  let runStart = -1;
  let runEnd = -1;
  const endRun = () => {
    if (runStart >= 0) clean.push(bytes.subarray(runStart, runEnd));
    runStart = -1;
  };
  forEachLine(bytes, (start, end) => {
    const status = statuses[line++]!;
    if (status === CANONICAL && bytes[end] === LINE_FEED) {
      if (runStart < 0) runStart = start;
      runEnd = end + 1;
      cleanRows++;
      return;
    }
    endRun();
    if (status === CANONICAL || status === CONVERTED) {
      const row = readRow(bytes, start, end, dayRange);
      if (typeof row === "string") {
        throw new Error(`line ${linesBefore + line} of ${rawPart} changed while it was read`);
      }
      clean.push(encoder.encode(canonicalLine(row) + "\n"));
      cleanRows++;
    } else if (status >= REJECTED) {
      rejected.push(
        rejectedLine(bytes, start, end, `${rawPart},${linesBefore + line},${REASONS[status - REJECTED]}`),
      );
    }
  });
  endRun();
  return { clean, cleanRows, rejected };
}

function join(chunks: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    joined.set(chunk, at);
    at += chunk.length;
  }
  return joined;
}

async function writePart(
  store: Store,
  folder: string,
  name: string,
  header: string,
  bytes: Uint8Array,
  rows: number,
): Promise<Part> {
  const writer = await PartWriter.create(store, folder, name, header);
  try {
    await writer.write(bytes);
    return await writer.close(rows);
  } catch (error) {
    await writer.abort();
    throw error;
  }
}

/** Writes both parts of a range. */
export async function writeParts(
  bytes: Uint8Array,
  statuses: Uint8Array,
  options: WritePartsOptions,
): Promise<{ clean: Part; rejected: Part }> {
  const { store, cleanFolder, rejectedFolder, name } = options;
  const { clean, cleanRows, rejected } = divide(bytes, statuses, options);
  const refused = encoder.encode(rejected.join(""));
  return {
    clean: await writePart(store, cleanFolder, name, SALE_HEADER, join(clean), cleanRows),
    rejected: await writePart(store, rejectedFolder, name, REJECTED_HEADER, refused, rejected.length),
  };
}
