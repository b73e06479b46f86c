/** Runs programs to completion, or follows their output. */

/** The repository's root, the working directory of programs. */
export const ROOT = new URL("../../", import.meta.url).pathname;

/** Exit code and output of a program. */
export interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs a program, which may fail. */
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
 * Runs a program; returns its stdout without the trailing line feed.
 *
 * @throws {Error} with the last lines of its output when it fails
 */
export async function run(program: string, args: string[], input?: string): Promise<string> {
  const { code, stdout, stderr } = await attempt(program, args, input);
  if (code === 0) return stdout.trimEnd();
  const output = `${stdout}\n${stderr}`.trim().split("\n").slice(-25).join("\n");
  throw new Error(`${program} ${args.join(" ")} exited with ${code}:\n${output}`);
}

/** Runs kubectl; returns its stdout. @throws {Error} when it fails */
export function kubectl(...args: string[]): Promise<string> {
  return run("kubectl", args);
}

/** A program that runs in the background, with its output. */
export class Follower {
  readonly #child: Deno.ChildProcess;
  readonly #read: Promise<void>;

  /** Starts the program; `onLine` receives every line of its stdout. */
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

  /** Stops the program. */
  async stop(): Promise<void> {
    try {
      this.#child.kill("SIGTERM");
    } catch {
      // It has already exited.
    }
    await this.#child.status;
    await this.#read;
  }
}

/** Default limit of a wait: only to tell a hang from slowness, so several times what a slow machine needs. */
const WAIT_LIMIT_MS = 10 * 60_000;

/**
 * Polls until there is a result.
 *
 * @param signal ends the wait early, when what is awaited can no longer come
 * @throws {Error} when there is none after `limitMs` or the signal, with the last error as its cause
 */
export async function until<T>(
  what: string,
  poll: () => Promise<T | undefined>,
  { limitMs = WAIT_LIMIT_MS, pauseMs = 1_000, signal }: {
    limitMs?: number;
    pauseMs?: number;
    signal?: AbortSignal;
  } = {},
): Promise<T> {
  const deadline = performance.now() + limitMs;
  let cause: unknown;
  while (performance.now() < deadline) {
    try {
      const result = await poll();
      if (result !== undefined) return result;
      cause = undefined;
    } catch (error) {
      cause = error;
    }
    if (signal?.aborted) throw new Error(`Stopped waiting until ${what}: ${signal.reason}`, { cause });
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
  throw new Error(
    `Timed out after ${limitMs / 1000} s, waiting until ${what}`,
    cause === undefined ? {} : { cause },
  );
}
