/** Status codes of raw lines, one byte per line. */
import { REASONS } from "../domain/sale.ts";

/** Blank line: skipped and not counted. */
export const BLANK = 0;
/** Accepted as is. */
export const CANONICAL = 1;
/** Accepted after conversion. */
export const CONVERTED = 2;
/** Dropped: equal to an earlier row. */
export const DUPLICATE = 3;
/** Rejected: this plus the index of the reason in REASONS. */
export const REJECTED = 16;
/** Rejected: same sale_id as an earlier accepted row, but different values. */
export const CONFLICT: number = REJECTED + REASONS.indexOf("conflicting_duplicate");
