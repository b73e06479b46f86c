/** An interactive shell on a pseudoterminal, in which a test types words and Tab, to see what the shell completes. */
import { assert, assertEquals } from "@std/assert";
import { join } from "node:path";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { describeCommands } from "../../cli/completions/words.ts";
import { loadCommands, run } from "./command.ts";

/** One of the shells with completions. */
export type Shell = "bash" | "zsh" | "fish";

/** Stands for the program: prints its arguments, between marks that nobody types. */
const STUBS: Readonly<Record<Shell, string>> = {
  bash: `salesflow() { printf '=>'; printf '<%s>' "$@"; printf '<=\\n'; }`,
  zsh: `salesflow() { printf '=>'; printf '<%s>' "$@"; printf '<=\\n'; }`,
  fish: `function salesflow; printf '=>'; printf '<%s>' $argv; printf '<=\\n'; end`,
};

/** Runs before the completions; a prompt that says when the shell is ready to read a line. */
const PREPARATIONS: Readonly<Record<Shell, string>> = {
  bash: "PS1='ready> '",
  zsh: "PS1='ready> '; unsetopt prompt_sp; autoload -Uz compinit; compinit -u -D",
  fish: "function fish_prompt; printf 'ready> '; end; function fish_greeting; end",
};

function startCommand(shell: Shell, folder: string): string {
  const file = join(folder, ".zshrc");
  return {
    bash: `bash --noprofile --rcfile ${file} -i`,
    zsh: "zsh -i -d",
    fish: `fish --private --no-config --init-command 'source ${file}' -i`,
  }[shell];
}

/** A running shell. */
export class InteractiveShell {
  readonly #child: Deno.ChildProcess;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  #screen = "";

  private constructor(child: Deno.ChildProcess) {
    this.#child = child;
    this.#reader = child.stdout.getReader();
    this.#writer = child.stdin.getWriter();
  }

  /** Starts the shell with the completions in a folder, where it finds files to complete. */
  static async start(shell: Shell, folder: string): Promise<InteractiveShell> {
    const { code, stdout, stderr } = await run(["completions", shell]);
    assertEquals([code, stderr], [0, ""]);
    await Deno.writeTextFile(
      join(folder, ".zshrc"),
      `${PREPARATIONS[shell]}\n${STUBS[shell]}\n${stdout}`,
    );
    const child = new Deno.Command("script", {
      args: ["-qec", `stty cols 200; exec ${startCommand(shell, folder)}`, "/dev/null"],
      cwd: folder,
      clearEnv: true,
      env: {
        PATH: Deno.env.get("PATH")!,
        HOME: folder,
        ZDOTDIR: folder,
        TERM: "dumb",
        SHELL: "/bin/sh",
        LANG: "C.UTF-8",
      },
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const started = new InteractiveShell(child);
    await started.#readUntil(/ready> /);
    return started;
  }

  async #readUntil(pattern: RegExp): Promise<RegExpExecArray> {
    const decoder = new TextDecoder();
    while (true) {
      const found = pattern.exec(this.#screen);
      if (found) {
        this.#screen = this.#screen.slice(found.index + found[0].length);
        return found;
      }
      const { value, done } = await this.#reader.read();
      assert(!done, `The shell ended: ${this.#screen}`);
      this.#screen += decoder.decode(value, { stream: true });
    }
  }

  /** Types a line that runs salesflow, `\t` for each Tab; returns the arguments that it was given. */
  async type(line: string): Promise<string[]> {
    await this.#writer.write(new TextEncoder().encode(`${line}\r`));
    const [, words] = await this.#readUntil(/=>(.*?)<=\r\n[^]*?ready> /);
    return [...words!.matchAll(/<([^>]*)>/g)].map(([, word]) => word!);
  }

  /** Ends the shell. */
  async stop(): Promise<void> {
    await this.#writer.write(new TextEncoder().encode("exit\r"));
    while (!(await this.#reader.read()).done);
    await this.#child.status;
    await this.#writer.close().catch(() => {});
  }
}

/** Returns the shortest beginning of a word with which none of the others begins; the word itself if there is none. */
export function shortestPrefix(word: string, others: readonly string[]): string {
  for (let length = 1; length < word.length; length++) {
    const prefix = word.slice(0, length);
    if (!others.some((other) => other !== word && other.startsWith(prefix))) return prefix;
  }
  return word;
}

async function isInstalled(shell: Shell): Promise<boolean> {
  try {
    return (await new Deno.Command(shell, { args: ["-c", "exit 0"] }).output()).success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/**
 * Declares the tests of a shell's completions. Without the shell they are skipped, but fail where `CI` is `true`, where
 * skipped tests would go unnoticed.
 */
export async function describeCompletions(shell: Shell): Promise<void> {
  const found = await isInstalled(shell);
  if (!found && Deno.env.get("CI") === "true") throw new Error(`${shell} is not installed`);
  if (!found) console.warn(`${shell} is not installed: skipping the tests of its completions`);
  const suite = found ? describe : describe.skip;

  suite(`completions in ${shell}`, () => {
    let folder: string;
    let terminal: InteractiveShell;

    beforeAll(async () => {
      folder = await Deno.makeTempDir({ prefix: "salesflow-completions-" });
      await Deno.mkdir(join(folder, "my exports"));
      await Deno.writeTextFile(join(folder, "orders 2026.csv"), "");
      terminal = await InteractiveShell.start(shell, folder);
    });

    afterAll(async () => {
      await terminal.stop();
      await Deno.remove(folder, { recursive: true });
    });

    const cases: [what: string, typed: string, words: string[]][] = [
      ["a value", "run --from mig\t", ["run", "--from", "migrate"]],
      ["a value after =", "run --from=mig\t", ["run", "--from=migrate"]],
      ["an option and then its value", "status --log-f\tjs\t", ["status", "--log-format", "json"]],
      ["a file argument", "ingest ord\t", ["ingest", "orders 2026.csv"]],
      ["a second file argument", "ingest a.csv ord\t", ["ingest", "a.csv", "orders 2026.csv"]],
      ["a file as a value", "sql postgres --file ord\t", ["sql", "postgres", "--file", "orders 2026.csv"]],
      ["a folder", "run --home my\t", ["run", "--home", "my exports"]],
      ["a folder after =", "run --home=my\t", ["run", "--home=my exports"]],
      ["no file where a folder must stand", "run --home ord\t", ["run", "--home", "ord"]],
      ["no file where none may stand", "run --rows ord\t", ["run", "--rows", "ord"]],
      ["no file for a command without arguments", "status ord\t", ["status", "ord"]],
      ["the first argument", "sql post\t", ["sql", "postgres"]],
      ["not the first argument twice", "sql clickhouse post\t", ["sql", "clickhouse", "post"]],
      ["the command of help", "help stat\t", ["help", "status"]],
      ["a word that is no command", "--vers\t", ["--version"]],
    ];
    for (const [what, typed, expected] of cases) {
      it(`complete ${what}: ${typed.replaceAll("\t", "<Tab>")}`, async () => {
        // zsh joins an option and its value, and shells differ in whether a slash ends a folder.
        const words = (await terminal.type(`salesflow ${typed}`)).map((word) => word.replace(/\/$/, ""));
        assertEquals(words.join(" ").replace("--log-format=", "--log-format "), expected.join(" "));
      });
    }

    it("complete every command and every option", async () => {
      const commands = describeCommands(await loadCommands());
      const names = commands.map(({ name }) => name);
      for (const { name, options } of commands) {
        assertEquals(await terminal.type(`salesflow ${shortestPrefix(name, [...names, "help"])}\t`), [name]);
        const flags = options.map(({ flag }) => `--${flag}`);
        for (const flag of flags) {
          const [, word] = await terminal.type(`salesflow ${name} ${shortestPrefix(flag, flags)}\t`);
          assertEquals(word?.replace(/=$/, ""), flag, name);
        }
      }
    });
  });
}
