/** Fills empty values from the line before with the same key, over all chunks of a file. No I/O. */
import { KeyTable } from "./key_table.ts";

/** Keys of records as 64-bit hashes, one for each record. */
export interface KeyHashes {
  /** Lower 32 bits. */
  low: Uint32Array<ArrayBuffer>;
  /** Upper 32 bits. */
  high: Uint32Array<ArrayBuffer>;
}

/** Values to fill of the records of a chunk. */
export interface FillValues {
  /** Keys of the records. */
  keys: KeyHashes;
  /** Distinct rows of values; a row has one value for each column to fill. */
  rows: readonly (readonly string[])[];
  /** Index in `rows` of each record. */
  indexes: Uint32Array<ArrayBuffer>;
}

/** Rows of values, each stored once. */
export class DistinctRows {
  readonly #indexes = new Map<string, number>();
  /** The rows. */
  readonly rows: (readonly string[])[] = [];

  /** Returns the index of a row; it must not change afterwards. */
  indexOf(row: readonly string[]): number {
    const key = row.join("\0");
    let index = this.#indexes.get(key);
    if (index === undefined) {
      index = this.rows.length;
      this.rows.push(row);
      this.#indexes.set(key, index);
    }
    return index;
  }
}

/** Remembers the last values of each key of a file. */
export class FillDown {
  readonly #last = new KeyTable();
  readonly #known = new DistinctRows();

  /** Returns the filled values of the records of the next chunk. */
  fill({ keys, rows, indexes }: FillValues): Pick<FillValues, "rows" | "indexes"> {
    const filledRows: (readonly string[])[] = [];
    const filledIndexes = new Map<number, number>();
    const numbers = rows.map((row) => this.#known.indexOf(row));
    const merged = new Map<string, number>();
    const result = new Uint32Array(indexes.length);
    for (let record = 0; record < indexes.length; record++) {
      const [low, high] = [keys.low[record]!, keys.high[record]!];
      const slot = this.#last.slotOf(low, high);
      const before = this.#last.get(slot) - 1;
      const current = numbers[indexes[record]!]!;
      let number = current;
      if (before >= 0 && before !== current) {
        const pair = `${before} ${current}`;
        number = merged.get(pair) ?? this.#merge(before, current);
        merged.set(pair, number);
      }
      this.#last.set(slot, low, high, number + 1);
      let index = filledIndexes.get(number);
      if (index === undefined) {
        index = filledRows.push(this.#known.rows[number]!) - 1;
        filledIndexes.set(number, index);
      }
      result[record] = index;
    }
    return { rows: filledRows, indexes: result };
  }

  #merge(before: number, current: number): number {
    const [old, row] = [this.#known.rows[before]!, this.#known.rows[current]!];
    return this.#known.indexOf(row.map((value, column) => value.trim() === "" ? old[column]! : value));
  }
}

/** Numbers the lines of each key of a file. */
export class LineNumbers {
  readonly #counts = new KeyTable();

  /** Returns the numbers of the records of the next chunk, from 1 for each key. */
  next({ low, high }: KeyHashes): Uint32Array<ArrayBuffer> {
    const numbers = new Uint32Array(low.length);
    for (let record = 0; record < low.length; record++) {
      const slot = this.#counts.slotOf(low[record]!, high[record]!);
      const number = this.#counts.get(slot) + 1;
      this.#counts.set(slot, low[record]!, high[record]!, number);
      numbers[record] = number;
    }
    return numbers;
  }
}
