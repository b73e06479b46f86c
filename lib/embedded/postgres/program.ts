/** Runs PostgreSQL's programs. */
import { join } from "node:path";
import { SalesflowError } from "../../console/errors.ts";
import type { ServerUser } from "./server_user.ts";

/** How much of the end of a program's output an error shows. */
const MAX_SHOWN_CHARACTERS = 2_000;

/** Remedy for programs killed by a user or by the kernel, which was out of memory. */
export const KILLED_REMEDY =
  "Run the same command again. If it happens again, check whether the machine has enough memory.";

/** The environment of PostgreSQL's programs: no inherited variable that could affect them, and English messages. */
function environment(): Record<string, string> {
  const path = Deno.env.get("PATH");
  return { ...(path ? { PATH: path } : {}), LC_ALL: "C", TZ: "UTC" };
}

/**
 * Returns a command for one of PostgreSQL's programs (`initdb`, `postgres`), run as the server's user.
 *
 * @param prefix words before the program on the command line, such as `setpriv …`
 */
export function programCommand(
  user: ServerUser,
  name: string,
  args: readonly string[],
  stdio: Pick<Deno.CommandOptions, "stdin" | "stdout" | "stderr">,
  prefix: readonly string[] = [],
): Deno.Command {
  const [first = "", ...rest] = [...user.prefix, ...prefix, join(user.programs, "bin", name), ...args];
  return new Deno.Command(first, {
    args: rest,
    cwd: user.folder,
    clearEnv: true,
    env: environment(),
    ...user.identity,
    ...stdio,
  });
}

/**
 * Runs one of the programs to its end.
 *
 * @param input its stdin
 * @throws {SalesflowError} with the end of its output when it fails; exit code 75 when it was killed
 */
export async function runProgram(
  user: ServerUser,
  name: string,
  args: readonly string[],
  input = "",
): Promise<void> {
  const child = programCommand(user, name, args, { stdin: "piped", stdout: "piped", stderr: "piped" })
    .spawn();
  const writer = child.stdin.getWriter();
  // A program that fails early does not read its stdin; its output tells the reason.
  const written = writer.write(new TextEncoder().encode(input)).then(() => writer.close()).catch(() => {});
  const [{ success, signal, stdout, stderr }] = await Promise.all([child.output(), written]);
  const output = new TextDecoder().decode(stderr) + new TextDecoder().decode(stdout);
  // `postgres --single` reports a failed statement, but exits with 0.
  if (success && !/^(?:\S+ )*?(?:ERROR|FATAL|PANIC): /m.test(output)) return;
  const end = output.trim().slice(-MAX_SHOWN_CHARACTERS);
  // The second condition is what `initdb` prints when the server that it runs was killed.
  if (signal === "SIGKILL" || output.includes("terminated by signal 9")) {
    throw new SalesflowError(`PostgreSQL's ${name} was killed: ${end}`, {
      exitCode: 75,
      remedy: KILLED_REMEDY,
    });
  }
  throw new SalesflowError(`PostgreSQL's ${name} failed: ${end}`, {
    remedy: "See the message above; a full disk and missing permissions are the usual causes.",
  });
}
