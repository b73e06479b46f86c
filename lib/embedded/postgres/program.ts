/** Running PostgreSQL's programs. */
import { join } from "node:path";
import { SalesflowError } from "../../console/errors.ts";
import type { ServerUser } from "./server_user.ts";

/** The last characters of a program's output that an error shows. */
const SHOWN_CHARACTERS = 2_000;

/** For programs that a person or the kernel, for want of memory, has killed. */
export const KILLED_REMEDY =
  "Run the same command again. When it happens again, look whether the machine has enough memory.";

/**
 * The environment of PostgreSQL's programs: nothing of ours that could change what they do, and English
 * messages.
 */
function environment(): Record<string, string> {
  const path = Deno.env.get("PATH");
  return { ...(path ? { PATH: path } : {}), LC_ALL: "C", TZ: "UTC" };
}

/** A command for one of PostgreSQL's programs (`initdb`, `postgres`) as the server's user. */
export function program(
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

/** Runs one of the programs to its end, with `input` as its standard input. */
export async function runProgram(
  user: ServerUser,
  name: string,
  args: readonly string[],
  input = "",
): Promise<void> {
  const child = program(user, name, args, { stdin: "piped", stdout: "piped", stderr: "piped" }).spawn();
  const writer = child.stdin.getWriter();
  // A program that fails early does not read; what it says then is in its output.
  const written = writer.write(new TextEncoder().encode(input)).then(() => writer.close()).catch(() => {});
  const [{ success, signal, stdout, stderr }] = await Promise.all([child.output(), written]);
  const said = new TextDecoder().decode(stderr) + new TextDecoder().decode(stdout);
  // `postgres --single` reports a failed statement, but ends well.
  if (success && !/^(?:\S+ )*?(?:ERROR|FATAL|PANIC): /m.test(said)) return;
  const end = said.trim().slice(-SHOWN_CHARACTERS);
  // `initdb` says so of the server that it runs.
  if (signal === "SIGKILL" || said.includes("terminated by signal 9")) {
    throw new SalesflowError(`PostgreSQL's ${name} was killed: ${end}`, {
      exitCode: 75,
      remedy: KILLED_REMEDY,
    });
  }
  throw new SalesflowError(`PostgreSQL's ${name} failed: ${end}`, {
    remedy: "Read the message above; a full disk and missing permissions are the usual reasons.",
  });
}
