/** Merges two sorted streams of rows to find differences, without holding either in memory. */
import { createHash } from "node:crypto";
import { type Difference, MAX_DIFFERENCES } from "./checks.ts";

/** A row of a stream. */
export interface KeyedRow {
  /** Sort key of the stream; numbers as numbers, ids of 64 bits as bigints. */
  key: readonly (string | number | bigint)[];
  /** All values of the row, in the same format on both sides. */
  text: string;
}

/** The result of {@linkcode compareRows}. */
export interface Comparison {
  /** Row count and the start of the SHA-256 of all texts, such as `2505 rows, 5891b5b522d5`. */
  left: string;
  /** The same for the right side. */
  right: string;
  /** The first rows that differ. */
  differences: Difference[];
}

/** One side of the comparison: its next row, and a digest of the rows consumed so far. */
class RowCursor {
  readonly #rows: AsyncIterator<KeyedRow[]>;
  readonly #hash = createHash("sha256");
  #batch: KeyedRow[] = [];
  #index = 0;
  #count = 0;

  constructor(rows: AsyncIterable<KeyedRow[]>) {
    this.#rows = rows[Symbol.asyncIterator]();
  }

  async peek(): Promise<KeyedRow | undefined> {
    while (this.#index >= this.#batch.length) {
      const next = await this.#rows.next();
      if (next.done) return undefined;
      this.#batch = next.value;
      this.#index = 0;
    }
    return this.#batch[this.#index];
  }

  consume(): void {
    const { text } = this.#batch[this.#index++]!;
    this.#hash.update(text + "\n");
    this.#count++;
  }

  digest(): string {
    return `${this.#count} rows, ${this.#hash.digest("hex").slice(0, 12)}`;
  }
}

/** Orders two keys: negative when `left` comes first, 0 when they are equal. Texts are compared by UTF-16 units. */
export function compareKeys(left: KeyedRow["key"], right: KeyedRow["key"]): number {
  for (let i = 0; i < left.length; i++) {
    const [a, b] = [left[i]!, right[i]!];
    if (a !== b) return a < b ? -1 : 1;
  }
  return 0;
}

/** Compares two streams, each sorted by key. */
export async function compareRows(
  leftRows: AsyncIterable<KeyedRow[]>,
  rightRows: AsyncIterable<KeyedRow[]>,
): Promise<Comparison> {
  const [left, right] = [new RowCursor(leftRows), new RowCursor(rightRows)];
  const differences: Difference[] = [];
  for (;;) {
    const [l, r] = [await left.peek(), await right.peek()];
    if (!l && !r) break;
    const order = !l ? 1 : !r ? -1 : compareKeys(l.key, r.key);
    if ((order !== 0 || l!.text !== r!.text) && differences.length < MAX_DIFFERENCES) {
      differences.push({
        place: (order <= 0 ? l! : r!).key.join(" "),
        left: order <= 0 ? l!.text : null,
        right: order >= 0 ? r!.text : null,
      });
    }
    if (order <= 0) left.consume();
    if (order >= 0) right.consume();
  }
  return { left: left.digest(), right: right.digest(), differences };
}
