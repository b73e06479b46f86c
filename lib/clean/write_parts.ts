/** Second pass over a range: writes accepted rows to a clean part, and rejected lines with origin and reason to a rejected part. */
import { quoted } from "../dataset/csv_field.ts";
import { REASONS, REJECTED_HEADER, SALE_HEADER } from "../domain/sale.ts";
import type { Part } from "../dataset/dataset.ts";
import { PartWriter } from "../dataset/part_writer.ts";
import type { Store } from "../store/store.ts";
import { addRejectedLine, type AmountSums, zeroAmountSums } from "./rejected_amounts.ts";
import { decodeLine, parseRow } from "./validate.ts";
import { forEachLine } from "./lines.ts";
import { type DayRange, formatCanonicalRow, MAX_LINE_BYTES } from "./rules.ts";
import { CANONICAL, CONVERTED, REJECTED } from "./row_status.ts";

const LINE_FEED = 10;
const encoder = new TextEncoder();

/** Input and destination of {@linkcode writeParts}. */
export interface WritePartsOptions {
  /** Store to write to. */
  store: Store;
  /** Folder of the clean part. */
  cleanFolder: string;
  /** Folder of the rejected part. */
  rejectedFolder: string;
  /** Name of the part in both folders. */
  name: string;
  /** Name of the raw part that the lines come from. */
  rawPart: string;
  /** Lines of the raw part before `bytes`. */
  linesBefore: number;
  /** Accepted days, as in the first pass. */
  dayRange: DayRange;
}

/** Formats a line of the rejected part; the data contract specifies invalid UTF-8, NUL and overlong lines. */
function formatRejectedLine(bytes: Uint8Array, start: number, end: number, origin: string): string {
  const raw = decodeLine(bytes, start, Math.min(end, start + MAX_LINE_BYTES)).replaceAll("\0", "\ufffd");
  return `${origin},${quoted(raw)}\n`;
}

/** Splits a range into clean chunks and rejected lines. A run of canonical lines becomes one chunk, without a copy. */
function partitionLines(
  bytes: Uint8Array,
  statuses: Uint8Array,
  { rawPart, linesBefore, dayRange }: WritePartsOptions,
): { clean: Uint8Array[]; cleanRows: number; rejected: string[]; amounts: AmountSums } {
  const clean: Uint8Array[] = [];
  const rejected: string[] = [];
  const amounts = zeroAmountSums();
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
      const row = parseRow(bytes, start, end, dayRange);
      if (typeof row === "string") {
        throw new Error(`line ${linesBefore + line} of ${rawPart} changed between the passes`);
      }
      clean.push(encoder.encode(formatCanonicalRow(row) + "\n"));
      cleanRows++;
    } else if (status >= REJECTED) {
      addRejectedLine(amounts, status - REJECTED, bytes, start, end);
      rejected.push(
        formatRejectedLine(
          bytes,
          start,
          end,
          `${rawPart},${linesBefore + line},${REASONS[status - REJECTED]}`,
        ),
      );
    }
  });
  endRun();
  return { clean, cleanRows, rejected, amounts };
}

function concatBytes(chunks: readonly Uint8Array[]): Uint8Array {
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

/** Writes the clean and the rejected part of a range; either may hold no rows. Returns the amounts of what is rejected, too. */
export async function writeParts(
  bytes: Uint8Array,
  statuses: Uint8Array,
  options: WritePartsOptions,
): Promise<{ clean: Part; rejected: Part; amounts: AmountSums }> {
  const { store, cleanFolder, rejectedFolder, name } = options;
  const { clean, cleanRows, rejected, amounts } = partitionLines(bytes, statuses, options);
  const rejectedBytes = encoder.encode(rejected.join(""));
  return {
    clean: await writePart(store, cleanFolder, name, SALE_HEADER, concatBytes(clean), cleanRows),
    rejected: await writePart(store, rejectedFolder, name, REJECTED_HEADER, rejectedBytes, rejected.length),
    amounts,
  };
}
