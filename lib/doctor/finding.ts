/** Findings of doctor's checks. */
import { messageChain, SalesflowError } from "../console/errors.ts";

/** The result of a check, with what was checked. */
export interface Finding {
  /** Whether a run can rely on it. */
  state: "ok" | "warning" | "failed";
  /** What was checked, such as `PostgreSQL`. */
  subject: string;
  /** What was found. */
  message: string;
  /** How to fix it. */
  remedy?: string;
}

/** The result of a check. */
export type CheckResult = Omit<Finding, "subject">;

/** Converts an error to the result of a failed check. */
export function failedCheck(error: unknown): CheckResult {
  const remedy = error instanceof SalesflowError ? error.remedy : undefined;
  return { state: "failed", message: messageChain(error).join(": "), ...(remedy ? { remedy } : {}) };
}
