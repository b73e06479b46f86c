/** Helpers shared by the benchmarks. */

/** Flags of the benchmarks that measure in rounds. */
export const BENCH_FLAGS = {
  rows: { placeholder: "N", min: 1, help: "number of sales" },
  rounds: { placeholder: "N", min: 1, help: "number of measurements" },
} as const;

/** Returns the seconds that `work` takes. */
export async function measure(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return (performance.now() - started) / 1000;
}

/** Returns the median. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return (sorted[Math.floor(middle)]! + sorted[Math.ceil(middle)]!) / 2;
}

/** Formats median, minimum and maximum; empty if there are no values. */
export function formatSeconds(values: readonly number[]): string {
  return values.length === 0
    ? ""
    : `${median(values).toFixed(3)} (${Math.min(...values).toFixed(3)}–${Math.max(...values).toFixed(3)})`;
}

/** Runs the salesflow command as a process. @throws {Error} with its stderr when it fails */
export async function runSalesflow(args: string[], environment: Record<string, string>): Promise<void> {
  const deno = [
    Deno.execPath(),
    "run",
    "-A",
    "--no-config",
    "--no-lock",
    "lib/std/deno.ts",
    "run",
    "-A",
    "cli/main.ts",
    ...args,
  ];
  const { success, stderr } = await new Deno.Command(deno[0]!, {
    args: deno.slice(1),
    env: environment,
    stdout: "null",
    stderr: "piped",
  }).output();
  const text = new TextDecoder().decode(stderr);
  if (!success) throw new Error(text);
}
