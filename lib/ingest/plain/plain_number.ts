/** Reads plain numbers from bytes: digits, and at most one mark before decimals. No I/O. */

const [ZERO, NINE] = [48, 57];
/** Numbers of so many digits are exact in JavaScript, and within the data contract. */
const MAX_DIGITS = 15;

/** A plain number. */
export class PlainNumber {
  /** Its digits as a whole number. */
  units = 0;
  /** How many of them are decimals. */
  decimals = 0;

  /**
   * Reads a number; returns false for anything else, also for one that is too long to be exact.
   *
   * @param mark code of the mark before decimals
   */
  read(bytes: Uint8Array, begin: number, end: number, mark: number): boolean {
    if (begin === end || end - begin > MAX_DIGITS) return false;
    let units = 0;
    let decimals = 0;
    for (let at = begin; at < end; at++) {
      const byte = bytes[at]!;
      if (byte >= ZERO && byte <= NINE) units = units * 10 + byte - ZERO;
      else if (byte === mark && decimals === 0 && at > begin && at < end - 1) decimals = end - at - 1;
      else return false;
    }
    this.units = units;
    this.decimals = decimals;
    return true;
  }
}
