/** Seeded random numbers for fuzz tests, and their settings. */

/** Fixed, so that the tests are deterministic unless a seed is set. */
const DEFAULT_SEED = 20_261_124;

/** Reads an integer from an environment variable. */
function readIntegerVariable(name: string, defaultValue: number): number {
  const text = Deno.env.get(name) || String(defaultValue);
  if (!/^\d{1,9}$/.test(text)) throw new Error(`${name} must be a whole number below 10^9, not ${text}`);
  return Number(text);
}

/** Returns seed and rounds from `SALESFLOW_FUZZ_SEED` and `SALESFLOW_FUZZ_ROUNDS`, and prints them to stderr. */
export function fuzzSettings(defaultRounds: number): { seed: number; rounds: number } {
  const seed = readIntegerVariable("SALESFLOW_FUZZ_SEED", DEFAULT_SEED);
  const rounds = readIntegerVariable("SALESFLOW_FUZZ_ROUNDS", defaultRounds);
  console.error(`fuzz: SALESFLOW_FUZZ_SEED=${seed} SALESFLOW_FUZZ_ROUNDS=${rounds}`);
  return { seed, rounds };
}

/** Pseudo-random number generator: Mulberry32 of https://gist.github.com/tommyettinger/46a874533244883189143505d203312c (public domain). */
export class Prng {
  #state: number;

  /** @param seed integer, of which the low 32 bits are used */
  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** Returns a number in [0, 1). */
  unit(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let bits = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 4_294_967_296;
  }

  /** Returns an integer 0 … limit − 1. */
  below(limit: number): number {
    return Math.floor(this.unit() * limit);
  }

  /** Returns true with probability 1 / n. */
  oneIn(n: number): boolean {
    return this.below(n) === 0;
  }

  /** Returns one of the choices. */
  pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)]!;
  }
}
