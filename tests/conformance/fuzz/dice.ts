/** Seeded chance for fuzz tests, and where their seeds come from. */

/** What the tests use when nobody chooses: the same everywhere, so that a failure is a finding and no accident. */
const USUAL_SEED = 20_261_124;

/** Whole number of an environment variable. */
function numberFrom(name: string, usual: number): number {
  const text = Deno.env.get(name) || String(usual);
  if (!/^\d{1,9}$/.test(text)) throw new Error(`${name} must be a whole number below 10^9, not ${text}`);
  return Number(text);
}

/** Seed and rounds as `SALESFLOW_FUZZ_SEED` and `SALESFLOW_FUZZ_ROUNDS` say; the seed is printed. */
export function fuzzSettings(usualRounds: number): { seed: number; rounds: number } {
  const seed = numberFrom("SALESFLOW_FUZZ_SEED", USUAL_SEED);
  const rounds = numberFrom("SALESFLOW_FUZZ_ROUNDS", usualRounds);
  console.error(`fuzz: SALESFLOW_FUZZ_SEED=${seed} SALESFLOW_FUZZ_ROUNDS=${rounds}`);
  return { seed, rounds };
}

/** Draws that follow from the seed alone: Mulberry32 of https://gist.github.com/tommyettinger/46a874533244883189143505d203312c (public domain). */
export class Dice {
  #state: number;

  /** @param seed whole number, of which 32 bits count */
  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** A number in [0, 1). */
  unit(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let bits = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 4_294_967_296;
  }

  /** A whole number 0 … limit − 1. */
  below(limit: number): number {
    return Math.floor(this.unit() * limit);
  }

  /** True once in so many times. */
  oneIn(times: number): boolean {
    return this.below(times) === 0;
  }

  /** One of the choices. */
  pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)]!;
  }
}
