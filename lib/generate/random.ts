/**
 * Counter-based random numbers: every value is a pure function of (seed, stream, index). Without a state to advance, a shard
 * generates its rows independently of the others.
 */

/** One stream per random property. Append new streams at the end, so that the others keep their values. */
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
  PriceChange,
  FavouriteCategory,
  Category,
  Season,
}

const STREAM_COUNT = Object.values(Stream).filter((value) => typeof value === "number").length;
/** 2^32 divided by the golden ratio. */
const GOLDEN = 0x9e3779b9;
const TWO_32 = 4_294_967_296;

/** 32-bit finalizer with low bias: "lowbias32" of https://nullprogram.com/blog/2018/07/31/ (public domain). */
function mix(value: number): number {
  value = Math.imul(value ^ (value >>> 16), 0x7feb352d);
  value = Math.imul(value ^ (value >>> 15), 0x846ca68b);
  return value ^ (value >>> 16);
}

/** Random numbers of one seed. */
export class Random {
  /** Two keys per stream. */
  readonly #firstKeys = new Int32Array(STREAM_COUNT);
  readonly #secondKeys = new Int32Array(STREAM_COUNT);

  /**
   * Derives the keys of all streams.
   *
   * @param seed integer, 0 … 2^53 − 1
   */
  constructor(seed: number) {
    const low = seed % TWO_32 | 0;
    const high = Math.floor(seed / TWO_32) | 0;
    for (let stream = 0; stream < STREAM_COUNT; stream++) {
      this.#firstKeys[stream] = mix(low + Math.imul(stream + 1, GOLDEN));
      this.#secondKeys[stream] = mix(high ^ mix(this.#firstKeys[stream]! + GOLDEN));
    }
  }

  /** Returns an integer 0 … 2^32 − 1 for the stream and the index (0 … 2^32 − 1). */
  uint32(stream: Stream, index: number): number {
    return mix(mix(index + this.#firstKeys[stream]!) ^ this.#secondKeys[stream]!) >>> 0;
  }

  /** Returns a number in [0, 1), a multiple of 2^-32. */
  unit(stream: Stream, index: number): number {
    return this.uint32(stream, index) / TWO_32;
  }

  /** Returns an integer 0 … limit − 1. */
  below(limit: number, stream: Stream, index: number): number {
    return Math.floor(this.unit(stream, index) * limit);
  }
}
