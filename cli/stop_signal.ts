/** How a person, or the system, ends the command. */
import { SalesflowError } from "../lib/console/errors.ts";

/** Signals closer together are one: a terminal sends its own, and lib/std/deno.ts hands on what it got. */
const ONE_SIGNAL_MS = 300;

/**
 * Fires on Ctrl-C and on the system's request to end; a second Ctrl-C ends at once.
 *
 * @param remedy what to tell whoever stops it, if anything
 */
export function stopSignal(remedy?: string): AbortSignal {
  const controller = new AbortController();
  let firstAt = -Infinity;
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(name, () => {
      if (performance.now() - firstAt < ONE_SIGNAL_MS) return;
      if (controller.signal.aborted) Deno.exit(75);
      firstAt = performance.now();
      controller.abort(
        new SalesflowError(`Stopped by ${name}`, { exitCode: 75, ...(remedy ? { remedy } : {}) }),
      );
    });
  }
  return controller.signal;
}
