/** Handles SIGINT and SIGTERM. */
import { SalesflowError } from "../lib/console/errors.ts";

/** A terminal signals the whole process group, and lib/std/run_deno.ts forwards the signal again: treat both as one. */
const DEBOUNCE_MS = 300;

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
      controller.abort(
        new SalesflowError(`Stopped by ${name}`, { exitCode: 75, ...(remedy ? { remedy } : {}) }),
      );
    });
  }
  return controller.signal;
}
