/**
 * Command-line flags of the scripts in tests/: `--help` prints the usage and exits with 0, a mistake exits with 2 before anything
 * is started. Parses with node:util in place of `@std/cli`, because some of the scripts start without an import map.
 */
import { parseArgs } from "node:util";

/** A flag of a script. Without a placeholder it is a switch. */
export interface Flag {
  /** What it does. */
  help: string;
  /** Name of its value in the usage, such as `N`. */
  placeholder?: string;
  /** Makes the value a whole number that is not smaller. */
  min?: number;
  /** All values that are allowed. */
  choices?: readonly string[];
}

/** Flags by name, without dashes. */
export type Flags = Record<string, Flag>;

/** The usage of a script. */
export interface Usage<F extends Flags> {
  /** How it is called, such as `deno task bench`. */
  command: string;
  /** What it does, in a sentence. */
  summary: string;
  /** Its flags. */
  flags: F;
  /** Name and meaning of one optional argument that is not a flag. */
  argument?: { name: string; help: string };
}

/** Values of the flags that were given. */
export type Values<F extends Flags> = {
  [Name in keyof F]?: F[Name] extends { min: number } ? number
    : F[Name] extends { placeholder: string } ? string
    : boolean;
};

/** Flags and argument of a script. */
export interface Parsed<F extends Flags> {
  /** Values by flag. */
  flags: Values<F>;
  /** The argument that is not a flag; undefined if there is none. */
  argument: string | undefined;
}

/** Formats the usage, one line per flag. */
export function formatUsage<F extends Flags>({ command, summary, flags, argument }: Usage<F>): string {
  const rows: [name: string, help: string][] = [
    ...(argument ? [[argument.name, argument.help] as [string, string]] : []),
    ...Object.entries(flags).map(([name, { placeholder, help, choices }]): [string, string] => [
      placeholder ? `--${name} ${placeholder}` : `--${name}`,
      choices ? `${help}: ${choices.join(", ")}` : help,
    ]),
    ["--help", "prints this"],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  return [
    `Usage: ${command}${argument ? ` [${argument.name}]` : ""} [flags]`,
    "",
    summary,
    "",
    ...rows.map(([name, help]) => `  ${name.padEnd(width)}  ${help}`),
  ].join("\n");
}

function parseValue(name: string, text: string, { min, choices }: Flag): string | number {
  if (min !== undefined) {
    if (/^\d{1,15}$/.test(text) && Number(text) >= min) return Number(text);
    throw new TypeError(`Cannot use --${name} ${text}: it must be a whole number from ${min} on`);
  }
  if (choices && !choices.includes(text)) {
    throw new TypeError(`Cannot use --${name} ${text}: it must be one of ${choices.join(", ")}`);
  }
  if (text === "") throw new TypeError(`Cannot use --${name} without a value`);
  return text;
}

/**
 * Parses arguments; returns undefined if they ask for help.
 *
 * @throws {TypeError} for an unknown flag, an invalid value, or an argument too many
 */
export function parseArguments<F extends Flags>(
  args: readonly string[],
  { flags, argument }: Usage<F>,
): Parsed<F> | undefined {
  if (args.includes("--help") || args.includes("-h")) return undefined;
  const options = Object.entries(flags).map(([name, { placeholder }]) =>
    [name, { type: placeholder ? "string" as const : "boolean" as const }] as const
  );
  const { values, positionals } = parseArgs({
    args: [...args],
    options: Object.fromEntries(options),
    allowPositionals: true,
  });
  const unexpected = positionals[argument ? 1 : 0];
  if (unexpected !== undefined) throw new TypeError(`Unexpected argument ${unexpected}`);
  const parsed = Object.entries(values).map(([name, value]) => [
    name,
    typeof value === "string" ? parseValue(name, value, flags[name]!) : value,
  ]);
  return { flags: Object.fromEntries(parsed) as Values<F>, argument: positionals[0] };
}

/** Returns the arguments of this process. Exits with 0 after printing the usage for `--help`, and with 2 for a mistake. */
export function readArguments<F extends Flags>(
  usage: Usage<F>,
  args: readonly string[] = Deno.args,
): Parsed<F> {
  let parsed: Parsed<F> | undefined;
  try {
    parsed = parseArguments(args, usage);
  } catch (error) {
    // Node's further sentences are about options that it takes for arguments.
    console.error(`${(error as Error).message.split(". ")[0]}\n\n${formatUsage(usage)}`);
    Deno.exit(2);
  }
  if (parsed) return parsed;
  console.log(formatUsage(usage));
  Deno.exit(0);
}

/**
 * For scripts that pass their arguments on to another program, which checks them: returns them. Exits with 0 after printing the
 * usage for `--help`.
 *
 * @param command how the script is called, with its arguments
 * @param summary what it does, and which program gets the arguments
 */
export function passOnArguments(
  command: string,
  summary: string,
  args: readonly string[] = Deno.args,
): readonly string[] {
  if (!args.includes("--help") && !args.includes("-h")) return args;
  console.log(`Usage: ${command}\n\n${summary}`);
  Deno.exit(0);
}
