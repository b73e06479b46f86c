/** Compares two long sequences of rows in the order of their keys; neither is held in memory. */
import { createHash } from "node:crypto";
import { type Difference, NAMED_DIFFERENCES } from "./checks.ts";

/** A row of a sequence. */
export interface KeyedRow {
  /** Values that order the sequence; numbers as numbers. */
  key: readonly (string | number)[];
  /** All of its values, in a form that both sides share. */
  text: string;
}

/** What {@linkcode compareRows} found. */
export interface Comparison {
  /** Rows and the start of the SHA-256 of all texts, such as `2505 rows, 5891b5b522d5`. */
  left: string;
  right: string;
  /** The first rows that differ. */
  differences: Difference[];
}

/** One side: its next row, and a digest of all rows taken. */
class Side {
  readonly #rows: AsyncIterator<KeyedRow[]>;
  readonly #hash = createHash("sha256");
  #batch: KeyedRow[] = [];
  #at = 0;
  #count = 0;

  constructor(rows: AsyncIterable<KeyedRow[]>) {
    this.#rows = rows[Symbol.asyncIterator]();
  }

  async peek(): Promise<KeyedRow | undefined> {
    while (this.#at >= this.#batch.length) {
      const next = await this.#rows.next();
      if (next.done) return undefined;
      this.#batch = next.value;
      this.#at = 0;
    }
    return this.#batch[this.#at];
  }

  take(): void {
    const { text } = this.#batch[this.#at++]!;
    this.#hash.update(text + "\n");
    this.#count++;
  }

  digest(): string {
    return `${this.#count} rows, ${this.#hash.digest("hex").slice(0, 12)}`;
  }
}

function order(left: KeyedRow["key"], right: KeyedRow["key"]): number {
  for (let i = 0; i < left.length; i++) {
    const [a, b] = [left[i]!, right[i]!];
    if (a !== b) return a < b ? -1 : 1;
  }
  return 0;
}

/** Walks both sequences at once; each must be sorted by its keys. */
export async function compareRows(
  leftRows: AsyncIterable<KeyedRow[]>,
  rightRows: AsyncIterable<KeyedRow[]>,
): Promise<Comparison> {
  const [left, right] = [new Side(leftRows), new Side(rightRows)];
  const differences: Difference[] = [];
  for (;;) {
    const [l, r] = [await left.peek(), await right.peek()];
    if (!l && !r) break;
    const which = !l ? 1 : !r ? -1 : order(l.key, r.key);
    if ((which !== 0 || l!.text !== r!.text) && differences.length < NAMED_DIFFERENCES) {
      differences.push({
        place: (which <= 0 ? l! : r!).key.join(" "),
        left: which <= 0 ? l!.text : null,
        right: which >= 0 ? r!.text : null,
      });
    }
    if (which <= 0) left.take();
    if (which >= 0) right.take();
  }
  return { left: left.digest(), right: right.digest(), differences };
}
