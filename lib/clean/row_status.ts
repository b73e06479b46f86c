/** Status codes of raw lines, one byte per line. */
import { REASONS } from "../domain/sale.ts";

/** Blank line: skipped and not counted. */
export const BLANK = 0;
/** Accepted as is. */
export const CANONICAL = 1;
/** Accepted after conversion. */
export const CONVERTED = 2;
/** Dropped: equal to the row that stays. */
export const DUPLICATE = 3;
/** Rejected: this plus the index of the reason in REASONS. */
export const REJECTED = 16;
/** Rejected: same sale_id as the row that stays, but different values. */
export const CONFLICT: number = REJECTED + REASONS.indexOf("conflicting_duplicate");
