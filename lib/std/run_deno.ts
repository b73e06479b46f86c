/** Deno as a process of its own, with the chosen provider for the `@std` packages. */
import { withStd } from "./provider.ts";

/** Runs `deno SUBCOMMAND ARGS…`, hands signals on to it, and ends with its exit code. */
export async function runDeno(subcommand: string, args: readonly string[]): Promise<never> {
  const child = new Deno.Command(Deno.execPath(), { args: [subcommand, ...await withStd(args), ...args] })
    .spawn();
  // Whoever stops this process means the command. A terminal, or timeout(1), tells both; the command takes that for one.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    Deno.addSignalListener(signal, () => {
      try {
        child.kill(signal);
      } catch {
        // It has ended meanwhile, and its exit code is on its way.
      }
    });
  }
  const { code } = await child.status;
  Deno.exit(code);
}
