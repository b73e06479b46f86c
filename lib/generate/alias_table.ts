/** Weighted sampling in constant time: the alias method of A. J. Walker (1977), with the initialisation of M. D. Vose (1991). */
export class AliasTable {
  readonly #threshold: Float64Array;
  readonly #alias: Int32Array;

  /**
   * Builds the table.
   *
   * @param weights non-negative, at least one positive
   * @throws {RangeError} when the weights do not have a positive sum
   */
  constructor(weights: ArrayLike<number>) {
    const size = weights.length;
    let total = 0;
    for (let i = 0; i < size; i++) total += weights[i]!;
    if (!(total > 0)) throw new RangeError("weights must have a positive sum");
    const scaled = Float64Array.from(weights, (weight) => weight * size / total);
    const small: number[] = [];
    const large: number[] = [];
    for (let i = 0; i < size; i++) (scaled[i]! < 1 ? small : large).push(i);
    this.#threshold = new Float64Array(size).fill(1);
    this.#alias = Int32Array.from({ length: size }, (_, i) => i);
    while (small.length > 0 && large.length > 0) {
      const less = small.pop()!;
      const more = large.at(-1)!;
      this.#threshold[less] = scaled[less]!;
      this.#alias[less] = more;
      scaled[more]! += scaled[less]! - 1;
      if (scaled[more]! < 1) small.push(large.pop()!);
    }
  }

  /** Returns the index for `unit` in [0, 1). The integer part of `unit × size` selects a column, its fraction an index in the column. */
  pick(unit: number): number {
    const scaled = unit * this.#alias.length;
    const column = Math.floor(scaled);
    return scaled - column < this.#threshold[column]! ? column : this.#alias[column]!;
  }
}
