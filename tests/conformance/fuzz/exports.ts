/** Exports as no shop would write them, the same for the same seed: what ingest is fuzzed with. */
import { Buffer } from "node:buffer";
import { gzipSync } from "node:zlib";
import { SALE_HEADER } from "../../../lib/domain/sale.ts";
import { Dice } from "./dice.ts";
import { fuzzRound } from "./raw_parts.ts";

/** One export. */
export interface FuzzedExport {
  bytes: Uint8Array;
  /** How it is said to be encoded, rightly or not. */
  encoding: string;
  /** What was done to it, for messages. */
  kind: string;
}

const ENCODINGS = [
  ...["utf-8", "utf-8", "utf-8", "utf-8", "windows-1251", "utf-16le", "utf-16be", "shift_jis", "gb18030"],
  ...["iso-2022-jp", "koi8-r", "x-user-defined"],
];
const DELIMITERS = [",", ";", "\t", "|"];
const MARKS = ["", "", "", "\xef\xbb\xbf", "\xff\xfe", "\n \n", "\0"];

/** Sales with mistakes of all kinds, one character for each byte. */
function sales(seed: number, round: number, dice: Dice): string {
  const part = fuzzRound(seed, round).parts[0]!;
  let text = Buffer.from(part.subarray(0, 2_000 + dice.below(20_000))).toString("latin1");
  const delimiter = dice.pick(DELIMITERS);
  if (dice.oneIn(2)) text = text.replace(SALE_HEADER, SALE_HEADER.replaceAll(",", delimiter));
  if (dice.oneIn(4)) text = text.replaceAll(",", delimiter);
  // A lone quote usually ends a file early; some files are to be read to their end.
  if (!dice.oneIn(3)) text = text.replaceAll('"', "");
  if (dice.oneIn(8)) text = text.replaceAll("\n", dice.pick(["\r\n", "\r", "\n\n", "\u0085"]));
  if (dice.oneIn(8)) text += '\n"never closed';
  return dice.pick(MARKS) + text;
}

function withOtherBytes(bytes: Uint8Array, from: number, dice: Dice): void {
  for (let changes = 1 + dice.below(20); changes > 0 && bytes.length > from; changes--) {
    bytes[from + dice.below(bytes.length - from)] = dice.below(256);
  }
}

/** Packs, sometimes several files in a row, and damages what comes out. */
function packed(bytes: Uint8Array, dice: Dice): Uint8Array {
  const cut = dice.below(bytes.length + 1);
  const members = dice.oneIn(3) ? [bytes.subarray(0, cut), bytes.subarray(cut)] : [bytes];
  const whole = Uint8Array.from(Buffer.concat(members.map((member) => gzipSync(member))));
  switch (dice.below(4)) {
    case 0:
      return whole.subarray(0, dice.below(whole.length));
    case 1:
      withOtherBytes(whole, 2, dice);
      return whole;
    case 2:
      return Uint8Array.from(Buffer.concat([whole, Uint8Array.of(dice.below(256), dice.below(256))]));
    default:
      return whole;
  }
}

/** The export of a round. */
export function fuzzedExport(seed: number, round: number): FuzzedExport {
  const dice = new Dice(seed * 1_000 + round);
  const encoding = dice.pick(ENCODINGS);
  if (dice.oneIn(8)) {
    const bytes = Uint8Array.from({ length: dice.below(5_000) }, () => dice.below(256));
    // Looks packed at first.
    if (dice.oneIn(2)) bytes.set([0x1f, 0x8b].slice(0, bytes.length));
    return { bytes, encoding, kind: "random bytes" };
  }
  const text = sales(seed, round, dice);
  let bytes = Uint8Array.from(
    Buffer.from(text, encoding === "utf-16le" && dice.oneIn(2) ? "utf16le" : "latin1"),
  );
  let kind = "sales";
  if (dice.oneIn(3)) {
    withOtherBytes(bytes, dice.oneIn(3) ? 0 : SALE_HEADER.length + 8, dice);
    kind = "changed sales";
  }
  if (dice.oneIn(3)) {
    bytes = Uint8Array.from(packed(bytes, dice));
    kind = `packed ${kind}`;
  }
  return { bytes, encoding, kind };
}
