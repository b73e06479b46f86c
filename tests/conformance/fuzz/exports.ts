/** Malformed exports for fuzzing ingest; deterministic in the seed. */
import { Buffer } from "node:buffer";
import { gzipSync } from "node:zlib";
import { SALE_HEADER } from "../../../lib/domain/sale.ts";
import { Prng } from "./prng.ts";
import { fuzzRound } from "./raw_parts.ts";

/** One export. */
export interface FuzzedExport {
  bytes: Uint8Array;
  /** Declared encoding, which may be wrong. */
  encoding: string;
  /** Description for messages. */
  kind: string;
}

const ENCODINGS = [
  ...["utf-8", "utf-8", "utf-8", "utf-8", "windows-1251", "utf-16le", "utf-16be", "shift_jis", "gb18030"],
  ...["iso-2022-jp", "koi8-r", "x-user-defined"],
];
const DELIMITERS = [",", ";", "\t", "|"];
const MARKS = ["", "", "", "\xef\xbb\xbf", "\xff\xfe", "\n \n", "\0"];

/** Returns fuzzed sales as Latin-1, one character per byte. */
function fuzzedSales(seed: number, round: number, prng: Prng): string {
  const part = fuzzRound(seed, round).parts[0]!;
  let text = Buffer.from(part.subarray(0, 2_000 + prng.below(20_000))).toString("latin1");
  const delimiter = prng.pick(DELIMITERS);
  if (prng.oneIn(2)) text = text.replace(SALE_HEADER, SALE_HEADER.replaceAll(",", delimiter));
  if (prng.oneIn(4)) text = text.replaceAll(",", delimiter);
  // A lone quote usually ends a file early; without quotes, some files are read to the end.
  if (!prng.oneIn(3)) text = text.replaceAll('"', "");
  if (prng.oneIn(8)) text = text.replaceAll("\n", prng.pick(["\r\n", "\r", "\n\n", "\u0085"]));
  if (prng.oneIn(8)) text += '\n"never closed';
  return prng.pick(MARKS) + text;
}

function mutateBytes(bytes: Uint8Array, from: number, prng: Prng): void {
  for (let changes = 1 + prng.below(20); changes > 0 && bytes.length > from; changes--) {
    bytes[from + prng.below(bytes.length - from)] = prng.below(256);
  }
}

/** Compresses, sometimes as several gzip members, and sometimes damages the result. */
function gzipAndDamage(bytes: Uint8Array, prng: Prng): Uint8Array {
  const cut = prng.below(bytes.length + 1);
  const members = prng.oneIn(3) ? [bytes.subarray(0, cut), bytes.subarray(cut)] : [bytes];
  const whole = Uint8Array.from(Buffer.concat(members.map((member) => gzipSync(member))));
  switch (prng.below(4)) {
    case 0:
      return whole.subarray(0, prng.below(whole.length));
    case 1:
      mutateBytes(whole, 2, prng);
      return whole;
    case 2:
      return Uint8Array.from(Buffer.concat([whole, Uint8Array.of(prng.below(256), prng.below(256))]));
    default:
      return whole;
  }
}

/** Returns the export of a round. */
export function fuzzedExport(seed: number, round: number): FuzzedExport {
  const prng = new Prng(seed * 1_000 + round);
  const encoding = prng.pick(ENCODINGS);
  if (prng.oneIn(8)) {
    const bytes = Uint8Array.from({ length: prng.below(5_000) }, () => prng.below(256));
    // With the gzip magic number.
    if (prng.oneIn(2)) bytes.set([0x1f, 0x8b].slice(0, bytes.length));
    return { bytes, encoding, kind: "random bytes" };
  }
  const text = fuzzedSales(seed, round, prng);
  let bytes = Uint8Array.from(
    Buffer.from(text, encoding === "utf-16le" && prng.oneIn(2) ? "utf16le" : "latin1"),
  );
  let kind = "sales";
  if (prng.oneIn(3)) {
    mutateBytes(bytes, prng.oneIn(3) ? 0 : SALE_HEADER.length + 8, prng);
    kind = "changed sales";
  }
  if (prng.oneIn(3)) {
    bytes = Uint8Array.from(gzipAndDamage(bytes, prng));
    kind = `compressed ${kind}`;
  }
  return { bytes, encoding, kind };
}
