/** How this program was started, so that texts name commands which can be typed as they are. */
import { basename, delimiter, isAbsolute, join, relative } from "node:path";

/** Variable in which cli/from_source.ts, which knows the task and the environment, tells the program how to be started. */
export const INVOCATION_VARIABLE = "SALESFLOW_INVOCATION";

/** The program's name, where nothing else is known: in images a wrapper of this name starts it. */
const NAME = "salesflow";

/** The task of deno.json that runs the command line. */
const TASK = `task ${NAME}`;

/** What may follow the program's name in a text when a command is meant; elsewhere it is only the name. */
const WORDS =
  "aggregate|clean|compare|completions|config|doctor|generate|history|ingest|load|migrate|prune|report|run|source|sql|status|transfer|up|verify|" +
  "COMMAND|--help|--version";

/** A command in a text, unless it already says how the program is started: `deno task salesflow …`. */
const COMMAND = new RegExp(`(?<![\\w./-])(?<!task )${NAME} (?=(?:${WORDS})(?![\\w-]))`, "g");

/** An executable and the surroundings in which a person started it. */
export interface Surroundings {
  /** Path of the executable: this program's, or Deno's. */
  executable: string;
  /** Working folder. */
  folder: string;
  /** Returns the value of an environment variable. */
  environment: (name: string) => string | undefined;
}

function thisProcess(): Surroundings {
  return {
    executable: Deno.execPath(),
    folder: Deno.cwd(),
    environment: (name) => Deno.env.get(name),
  };
}

/** Returns the file's path without links; undefined when it does not exist or cannot be reached. */
function realPath(path: string): string | undefined {
  try {
    return Deno.realPathSync(path);
  } catch {
    return undefined;
  }
}

/** Returns the folders of a PATH, without those that npx adds for its own duration. */
function searchedFolders(path: string): string[] {
  return path.split(delimiter).filter((folder) =>
    isAbsolute(folder) && !/node_modules[\\/]\.bin[\\/]?$/.test(folder)
  );
}

/** Quotes a word for the shell if needed. */
export function quoteWord(word: string): string {
  return /^[\w./\\:@+-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** Returns an executable's path as a person in the folder types it. */
function typedPath({ executable, folder }: Surroundings): string {
  const path = relative(folder, executable);
  if (isAbsolute(path) || path.startsWith("..")) return quoteWord(executable);
  return quoteWord(path === basename(path) ? `.${executable.includes("\\") ? "\\" : "/"}${path}` : path);
}

/** Returns how the compiled program is started: its name if PATH leads to it, otherwise its path. */
export function executableInvocation(surroundings: Surroundings = thisProcess()): string {
  const { executable, environment } = surroundings;
  const name = basename(executable);
  const path = environment("PATH");
  // An executable for configured servers only may not read PATH; images start it by its name.
  if (path === undefined) return name;
  const target = realPath(executable);
  const isFound = searchedFolders(path).some((folder) => {
    const found = realPath(join(folder, name));
    return found !== undefined && found === target;
  });
  return isFound ? name.replace(/\.exe$/i, "") : typedPath(surroundings);
}

/** Returns how the program is started from source, with Deno as the executable: by the task, through npx if that brought Deno. */
export function taskInvocation(
  { executable, environment }: Omit<Surroundings, "folder"> = thisProcess(),
  version: string = Deno.version.deno,
): string {
  const throughNpx = `npx -y deno@${version} ${TASK}`;
  if (environment("npm_lifecycle_event") === "npx") return throughNpx;
  const isInstalled = searchedFolders(environment("PATH") ?? "")
    .some((folder) =>
      ["deno", "deno.exe", "deno.cmd"].some((name) => realPath(join(folder, name)) !== undefined)
    );
  if (isInstalled) return `deno ${TASK}`;
  // Other tools than npx that run packages of npm.
  if (/[\\/]node_modules[\\/]/.test(executable)) return throughNpx;
  return `${quoteWord(executable)} ${TASK}`;
}

/** Returns what a person types to start this program, without its arguments. */
export function invocation(): string {
  if (Deno.build.standalone) return executableInvocation();
  return Deno.env.get(INVOCATION_VARIABLE) || NAME;
}

/**
 * Returns the text with commands such as `salesflow run` as they must be typed here, for example
 * `npx -y deno@2.9.6 task salesflow run`. Applied where texts are printed, so that all others, such as the records of
 * stages, are the same however the program was started.
 *
 * @param typed what starts the program
 */
export function asTyped(text: string, typed: string = invocation()): string {
  return text.replace(COMMAND, () => `${typed} `);
}
