/** Reads the conformance cases, which both engines share; README.md documents their format. */
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { REASONS, SALE_HEADER } from "../../lib/domain/sale.ts";
import type { Store } from "../../lib/store/store.ts";
import { makeManifest, partName } from "../../lib/dataset/dataset.ts";

/** Bytes of a case; pieces in a list are concatenated. */
type Piece = string | { base64: string } | { repeat: string; times: number };

/** An input of the stage clean and its expected output. */
export interface CleanCase {
  name: string;
  parts: Uint8Array[];
  asOf: string;
  dateRange: boolean;
  /** What the facts of raw/ say; undefined when they do not. */
  onConflict: string | undefined;
  maxRejected: number;
  rowsIn: number;
  duplicates: number;
  /** Clean rows, in any order. */
  clean: string[];
  /** Lines of rejected/ without header, in file order. */
  rejected: string[];
  rejectedByReason: Record<string, number>;
  /** Rows with a valid amount and their sum, of some reasons. */
  amounts: Record<string, { rows: number; amount: string }>;
  /** Exit code of a case that must fail. */
  fails: number | undefined;
}

interface CleanJson {
  name: string;
  parts: (Piece | Piece[])[];
  as_of?: string;
  date_range?: boolean;
  on_conflict?: string;
  max_rejected?: number;
  rows_in?: number;
  duplicates?: number;
  clean?: string[];
  rejected?: [part: number, line: number, reason: string, raw: Piece | Piece[]][];
  amounts?: Record<string, [rows: number, amount: string]>;
  fails?: number;
}

interface ValuesJson {
  field: string;
  as_of: string;
  date_range?: boolean;
  accepted: [text: string, clean: string][];
  rejected: [text: string, reason: string][];
}

const AS_OF = "2026-11-24";
const encoder = new TextEncoder();

function toBytes(content: Piece | Piece[]): Uint8Array {
  if (Array.isArray(content)) {
    const all = content.map(toBytes);
    const joined = new Uint8Array(all.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const bytes of all) {
      joined.set(bytes, at);
      at += bytes.length;
    }
    return joined;
  }
  if (typeof content === "string") return encoder.encode(content);
  if ("base64" in content) return Uint8Array.from(atob(content.base64), (char) => char.charCodeAt(0));
  return encoder.encode(content.repeat.repeat(content.times));
}

async function readFolder<T>(folder: string): Promise<{ name: string; content: T }[]> {
  const url = new URL(`${folder}/`, import.meta.url);
  const names: string[] = [];
  for await (const { name } of Deno.readDir(url)) names.push(name);
  if (names.length === 0) throw new Error(`There are no cases in ${folder}`);
  return await Promise.all(
    names.sort().map(async (name) => ({
      name,
      content: JSON.parse(await Deno.readTextFile(new URL(name, url))),
    })),
  );
}

function formatRejectedLine(part: number, line: number, reason: string, raw: string): string {
  return `${partName(part)},${line},${reason},"${raw.replaceAll('"', '""')}"`;
}

function countReasons(reasons: string[]): Record<string, number> {
  return Object.fromEntries(
    REASONS.map((reason) => [reason, reasons.filter((other) => other === reason).length]),
  );
}

function parseCleanCase(json: CleanJson): CleanCase {
  const rejected = json.rejected ?? [];
  return {
    name: json.name,
    parts: json.parts.map(toBytes),
    asOf: json.as_of ?? AS_OF,
    dateRange: json.date_range ?? true,
    onConflict: json.on_conflict,
    maxRejected: json.max_rejected ?? 1,
    rowsIn: json.rows_in ?? 0,
    duplicates: json.duplicates ?? 0,
    clean: json.clean ?? [],
    rejected: rejected.map(([part, line, reason, raw]) =>
      formatRejectedLine(
        part,
        line,
        reason,
        new TextDecoder("utf-8", { ignoreBOM: true }).decode(toBytes(raw)),
      )
    ),
    rejectedByReason: countReasons(rejected.map(([, , reason]) => reason)),
    amounts: Object.fromEntries(
      Object.entries(json.amounts ?? {}).map(([reason, [rows, amount]]) => [reason, { rows, amount }]),
    ),
    fails: json.fails,
  };
}

function parseValuesCase(
  name: string,
  { field, as_of, date_range, accepted, rejected }: ValuesJson,
): CleanCase {
  const column = SALE_HEADER.split(",").indexOf(field);
  const row = (number: number, text: string) => {
    const values = [String(number), "11", "22", "3", as_of, "10.00", "North"];
    values[column] = text;
    return values.join(",");
  };
  const lines = [...accepted, ...rejected].map(([text], index) => row(index + 1, text));
  return {
    name,
    parts: [encoder.encode([SALE_HEADER, ...lines, ""].join("\n"))],
    asOf: as_of,
    dateRange: date_range ?? true,
    onConflict: undefined,
    maxRejected: 1,
    rowsIn: lines.length,
    duplicates: 0,
    clean: accepted.map(([, clean], index) => row(index + 1, clean)),
    rejected: rejected.map(([, reason], index) => {
      const number = accepted.length + index + 1;
      return formatRejectedLine(0, number + 1, reason, lines[number - 1]!.replaceAll("\0", "\ufffd"));
    }),
    rejectedByReason: countReasons(rejected.map(([, reason]) => reason)),
    amounts: {},
    fails: undefined,
  };
}

/** Reads all cases of clean/ and values/. */
export async function readCleanCases(): Promise<CleanCase[]> {
  const values = await readFolder<ValuesJson>("values");
  const clean = await readFolder<CleanJson[]>("clean");
  return [
    ...values.map(({ name, content }) => parseValuesCase(name, content)),
    ...clean.flatMap(({ content }) => content.map(parseCleanCase)),
  ];
}

/** Counts the lines that are not blank, without the header. */
function countRows(bytes: Uint8Array): number {
  // Not TextDecoder, whose "latin1" is windows-1252.
  const text = Buffer.from(bytes).toString("latin1");
  // Not a single regular expression for whole lines, whose recursion depth would grow with the line.
  const withoutBlanks = (line: string) => line.replace(/\r$/, "").replace(/[ \t]|\xc2\xa0|\xe2\x80\xaf/g, "");
  const rows = text.split("\n").filter((line) => withoutBlanks(line) !== "");
  return Math.max(0, rows.length - 1);
}

/** Publishes the input of a case as the raw dataset of a run. */
export async function putRaw(
  store: Store,
  runId: string,
  { parts, asOf, onConflict }: Pick<CleanCase, "parts" | "asOf" | "onConflict">,
): Promise<void> {
  const folder = `runs/${runId}/raw`;
  const manifestParts = [];
  for (const [index, bytes] of parts.entries()) {
    const writer = await store.create(`${folder}/${partName(index)}`);
    await writer.write(bytes);
    await writer.close();
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    manifestParts.push({ name: partName(index), rows: countRows(bytes), bytes: bytes.length, sha256 });
  }
  const facts = { source: "ingested", files: [], ...(onConflict ? { on_conflict: onConflict } : {}) };
  const manifest = makeManifest({ dataset: "raw", runId, asOf, engine: "native", facts }, manifestParts);
  await store.writeText(`${folder}/manifest.json`, JSON.stringify(manifest, null, 2) + "\n");
}
