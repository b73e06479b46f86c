/** Other programs: run to the end, or followed line by line. */

/** Root of the repository; programs run there. */
export const ROOT = new URL("../../", import.meta.url).pathname;

/** What a program printed and how it ended. */
export interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs a program to its end, whatever that is. */
export async function attempt(program: string, args: string[], input?: string): Promise<Outcome> {
  const child = new Deno.Command(program, {
    args,
    cwd: ROOT,
    stdin: input === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  if (input !== undefined) {
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(input));
    await writer.close();
  }
  const { code, stdout, stderr } = await child.output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

/**
 * Runs a program that must succeed; returns what it printed, without the last line end.
 *
 * @throws {Error} with the last lines of its output
 */
export async function run(program: string, args: string[], input?: string): Promise<string> {
  const { code, stdout, stderr } = await attempt(program, args, input);
  if (code === 0) return stdout.trimEnd();
  const output = `${stdout}\n${stderr}`.trim().split("\n").slice(-25).join("\n");
  throw new Error(`${program} ${args.join(" ")} ended with ${code}:\n${output}`);
}

/** Runs kubectl, which must succeed. */
export function kubectl(...args: string[]): Promise<string> {
  return run("kubectl", args);
}

/** A program that runs on, and what it says. */
export class Follower {
  readonly #child: Deno.ChildProcess;
  readonly #read: Promise<void>;

  /** Starts it; `onLine` sees every line of its standard output. */
  constructor(program: string, args: string[], onLine: (line: string) => void) {
    this.#child = new Deno.Command(program, { args, stdout: "piped", stderr: "null" }).spawn();
    this.#read = this.#follow(onLine);
  }

  async #follow(onLine: (line: string) => void): Promise<void> {
    let rest = "";
    for await (const text of this.#child.stdout.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop()!;
      for (const line of lines) onLine(line);
    }
  }

  /** Ends it. */
  async stop(): Promise<void> {
    try {
      this.#child.kill("SIGTERM");
    } catch {
      // It has ended by itself.
    }
    await this.#child.status;
    await this.#read;
  }
}

/**
 * Asks again until there is an answer.
 *
 * @param limitMs how long
 * @throws {Error} when there is none by then, with the last error if there was one
 */
export async function until<T>(
  what: string,
  limitMs: number,
  ask: () => Promise<T | undefined>,
  pauseMs = 1_000,
): Promise<T> {
  const deadline = performance.now() + limitMs;
  let cause: unknown;
  while (performance.now() < deadline) {
    try {
      const answer = await ask();
      if (answer !== undefined) return answer;
      cause = undefined;
    } catch (error) {
      cause = error;
    }
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
  throw new Error(`${what}: not so after ${limitMs / 1000} s`, cause === undefined ? {} : { cause });
}
