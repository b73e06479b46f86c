/** Handles SIGINT and SIGTERM. */
import { SalesflowError } from "../lib/console/errors.ts";

/** A terminal signals the whole process group, and lib/std/run_deno.ts forwards the signal again: treat both as one. */
const DEBOUNCE_MS = 300;

/** The command was stopped by a signal: exit code 75. */
export class StoppedError extends SalesflowError {
  /** Name of the class. */
  override name = "StoppedError";
  /** The signal. */
  readonly signal: "SIGINT" | "SIGTERM";

  /** Creates the error of a signal. */
  constructor(signal: "SIGINT" | "SIGTERM", remedy?: string) {
    super(`Stopped by ${signal}`, { exitCode: 75, ...(remedy ? { remedy } : {}) });
    this.signal = signal;
  }
}

/**
 * Returns a signal that is aborted on SIGINT or SIGTERM. A second SIGINT or SIGTERM exits immediately with 75.
 *
 * @param remedy remedy of the resulting error
 */
export function stopSignal(remedy?: string): AbortSignal {
  const controller = new AbortController();
  let firstAt = -Infinity;
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(name, () => {
      if (performance.now() - firstAt < DEBOUNCE_MS) return;
      if (controller.signal.aborted) Deno.exit(75);
      firstAt = performance.now();
      controller.abort(new StoppedError(name, remedy));
    });
  }
  return controller.signal;
}
