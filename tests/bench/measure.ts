/** What the benchmarks have in common. */

/** The number that follows `--name` on the command line. */
export function argument(name: string, fallback: number): number {
  const place = Deno.args.indexOf(`--${name}`);
  return place < 0 ? fallback : Number(Deno.args[place + 1]);
}

/** Seconds that `work` takes. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return (performance.now() - started) / 1000;
}

/** The middle one, or the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return (sorted[Math.floor(middle)]! + sorted[Math.ceil(middle)]!) / 2;
}

/** Median, minimum and maximum; empty when nothing was measured. */
export function seconds(values: readonly number[]): string {
  return values.length === 0
    ? ""
    : `${median(values).toFixed(3)} (${Math.min(...values).toFixed(3)}–${Math.max(...values).toFixed(3)})`;
}

/** Runs the command as a process of its own; fails when it does. */
export async function salesflow(args: string[], environment: Record<string, string>): Promise<void> {
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
