/** What becomes of each line, one byte a line. */
import { REASONS } from "../domain/sale.ts";

/** Nothing but blanks: skipped, counted nowhere. */
export const BLANK = 0;
/** Canonical as it stands. */
export const CANONICAL = 1;
/** Accepted after conversion. */
export const CONVERTED = 2;
/** Equal to an earlier row. */
export const DUPLICATE = 3;
/** This plus the index of the reason in REASONS: refused. */
export const REJECTED = 16;
/** A later row with an accepted row's sale_id but other values. */
export const CONFLICT = REJECTED + REASONS.indexOf("conflicting_duplicate");
