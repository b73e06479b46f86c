/** Runs deno as a subprocess with the selected provider of the `@std` packages. */
import { withStd } from "./provider.ts";

/** Runs `deno SUBCOMMAND ARGS…`, forwards signals to it, and exits with its exit code. */
export async function runDeno(subcommand: string, args: readonly string[]): Promise<never> {
  const child = new Deno.Command(Deno.execPath(), { args: [subcommand, ...await withStd(args), ...args] })
    .spawn();
  // A terminal and timeout(1) signal both processes; cli/stop_signal.ts treats the duplicate as one signal.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    Deno.addSignalListener(signal, () => {
      try {
        child.kill(signal);
      } catch {
        // The process has already exited.
      }
    });
  }
  const { code } = await child.status;
  Deno.exit(code);
}
