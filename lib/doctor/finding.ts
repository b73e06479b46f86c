/** What the checks of doctor find. */
import { messageChain, SalesflowError } from "../console/errors.ts";

/** What a check found. */
export interface Finding {
  state: "fine" | "warning" | "broken";
  subject: string;
  found: string;
  /** What to do about it. */
  remedy?: string;
}

/** A finding before it is known what it is about. */
export type Outcome = Omit<Finding, "subject">;

/** The finding that an error is. */
export function broken(error: unknown): Outcome {
  const remedy = error instanceof SalesflowError ? error.remedy : undefined;
  return { state: "broken", found: messageChain(error).join(": "), ...(remedy ? { remedy } : {}) };
}
