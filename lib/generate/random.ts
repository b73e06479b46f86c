/**
 * Counter-based randomness: every draw is a pure function of (seed, stream, index). There is no state to advance, so
 * any shard makes exactly its own rows.
 */

/** One stream per thing that is decided about a row; adding one at the end changes none of the others. */
export enum Stream {
  Customer,
  HomeRegion,
  Travel,
  AwayRegion,
  Product,
  Quantity,
  BulkQuantity,
  Price,
  DayNoise,
  Taste,
  Popularity,
  Extra,
  ExtraKind,
  ExtraDetail,
  DuplicateDistance,
  Reformat,
  ReformatKind,
  ReformatDetail,
}

const STREAMS = Object.values(Stream).filter((value) => typeof value === "number").length;
const GOLDEN = 0x9e3779b9;
const TWO_32 = 4_294_967_296;

/** Finalizer with low bias over 32 bits: "lowbias32" of https://nullprogram.com/blog/2018/07/31/ (public domain). */
function mix(value: number): number {
  value = Math.imul(value ^ (value >>> 16), 0x7feb352d);
  value = Math.imul(value ^ (value >>> 15), 0x846ca68b);
  return value ^ (value >>> 16);
}

/** All streams of one seed. */
export class Random {
  readonly #first = new Int32Array(STREAMS);
  readonly #second = new Int32Array(STREAMS);

  /** @param seed whole number, 0 … 2^53 − 1 */
  constructor(seed: number) {
    const low = seed % TWO_32 | 0;
    const high = Math.floor(seed / TWO_32) | 0;
    for (let stream = 0; stream < STREAMS; stream++) {
      this.#first[stream] = mix(low + Math.imul(stream + 1, GOLDEN));
      this.#second[stream] = mix(high ^ mix(this.#first[stream]! + GOLDEN));
    }
  }

  /** A whole number 0 … 2^32 − 1 for this stream and index (0 … 2^32 − 1). */
  uint32(stream: Stream, index: number): number {
    return mix(mix(index + this.#first[stream]!) ^ this.#second[stream]!) >>> 0;
  }

  /** A number in [0, 1), a multiple of 2^-32. */
  unit(stream: Stream, index: number): number {
    return this.uint32(stream, index) / TWO_32;
  }

  /** A whole number 0 … limit − 1. */
  below(limit: number, stream: Stream, index: number): number {
    return Math.floor(this.unit(stream, index) * limit);
  }
}
