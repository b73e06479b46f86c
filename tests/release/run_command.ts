/** Runs programs that build a release. */
import { ROOT } from "./names.ts";

/**
 * Runs a program in the root of the repository; its output goes to stderr, so that stdout has results only.
 *
 * @returns what it wrote to stdout, if `capture` is set
 * @throws {Error} when it fails
 */
export async function runCommand(
  program: string,
  args: readonly string[],
  { capture = false }: { capture?: boolean } = {},
): Promise<string> {
  console.error(`$ ${program} ${args.join(" ")}`);
  const command = new Deno.Command(program, {
    args: [...args],
    cwd: ROOT,
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  });
  const { success, code, stdout } = await command.output();
  if (!capture) await Deno.stderr.write(stdout);
  if (!success) throw new Error(`${program} ${args[0]} failed with exit code ${code}`);
  return new TextDecoder().decode(stdout);
}
