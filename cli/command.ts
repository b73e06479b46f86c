/**
 * Declarative commands: parsing, validation and `--help` are derived from one declaration of name, options and action.
 * An option takes its value from its flag, else from the environment (`SALESFLOW_…`), else from its default.
 */
import { parseArgs } from "@std/cli/parse-args";
import { z } from "zod";
import { type Environment, readDatabaseUrls } from "../lib/connection/database_urls.ts";
import { didYouMean } from "../lib/console/did_you_mean.ts";
import { catchUsageError, UsageError } from "../lib/console/errors.ts";
import { readLimits } from "../lib/connection/limits.ts";
import { maskUrl } from "../lib/connection/mask_url.ts";

/** One option of a command. */
export interface Option<Schema extends z.ZodType = z.ZodType> {
  /** Description for `--help`. */
  help: string;
  /** Parses and validates the text (for a switch, the boolean). */
  schema: Schema;
  /** Placeholder of the value in `--help`; a switch has none. FILE and FOLDER in it also complete in shells. */
  placeholder?: string;
  /** May be repeated; the schema receives the list of texts. */
  multiple?: boolean;
  /** The default as shown in `--help`; the actual one is in the schema. */
  defaultText?: string;
  /** Validates the parsed value together with the environment; throws a {@linkcode UsageError}. */
  check?: (value: z.output<Schema>, environment: Environment) => void;
  /** Not read from the environment, because it applies to a single invocation. */
  flagOnly?: boolean;
}

/** Options by their camelCase name. */
export type Options = Record<string, Option>;

/** Validated values of options. */
export type Values<O extends Options> = { [Name in keyof O]: z.output<O[Name]["schema"]> };

/** A command. */
export interface Command<O extends Options = Options> {
  /** Name on the command line. */
  name: string;
  /** One line, for `--help`. */
  summary: string;
  /** Further lines for the command's own `--help`. */
  description?: string;
  /** Positional arguments, such as `FILE…`; lower-case words separated by `|` are the values themselves. @default none */
  positionals?: { placeholder: string; min: number; max: number };
  /** Its options. */
  options: O;
  /** Whether to validate the database URLs along with the options. */
  databases?: boolean;
  /** Examples for `--help`. */
  examples?: readonly string[];
  /** Runs the command. */
  run(values: Values<O>, positionals: string[], program: Program): Promise<void>;
}

/** What a command may know of the whole program. */
export interface Program {
  /** Loads the declarations of all commands, in the order of `--help`. */
  loadCommands(): Promise<AnyCommand[]>;
}

/** A command in a list of commands that differ in the types of their options. */
// deno-lint-ignore no-explicit-any -- their `run` methods take values of different types
export type AnyCommand = Command<any>;

/** Returns the command unchanged; infers the types of its values. */
export function defineCommand<const O extends Options>(command: Command<O>): Command<O> {
  return command;
}

/** Returns an option's flag without dashes: `maxRejected` → `max-rejected`. */
export function flagName(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** Returns an option's environment variable: `maxRejected` → `SALESFLOW_MAX_REJECTED`. */
export function variableName(name: string): string {
  return `SALESFLOW_${flagName(name).replaceAll("-", "_").toUpperCase()}`;
}

function isSwitch(option: Option): boolean {
  return option.placeholder === undefined;
}

/** How a switch is written as the value of an environment variable or after `=`. */
const SWITCH_TEXTS: Readonly<Record<string, boolean>> = {
  "1": true,
  "true": true,
  "yes": true,
  "on": true,
  "0": false,
  "false": false,
  "no": false,
  "off": false,
};

/**
 * Parses and validates a command line and the environment.
 *
 * @throws {UsageError} listing all mistakes at once
 */
export function parseCommandLine<O extends Options>(
  command: Command<O>,
  args: string[],
  environment: Environment = (name) => Deno.env.get(name),
): { values: Values<O>; positionals: string[] } {
  const entries = Object.entries(command.options);
  const mistakes: string[] = [];
  const flags = new Map(entries.map(([name, option]) => [flagName(name), option]));
  const parsed: Record<string, unknown> & { _: (string | number)[] } = parseArgs(args, {
    string: [...flags].filter(([, option]) => !isSwitch(option)).map(([name]) => name),
    boolean: [...flags].filter(([, option]) => isSwitch(option)).map(([name]) => name),
    collect: [...flags].filter(([, option]) => option.multiple).map(([name]) => name),
    unknown: (arg: string, key?: string) => {
      if (key === undefined) return true;
      const flag = /^--?[\w-]+(?==|$)/.exec(arg)?.[0] ?? truncate(maskUrl(arg));
      mistakes.push(
        `Unknown option ${flag}.${didYouMean(flag, [...flags.keys()].map((name) => `--${name}`))}`,
      );
      return false;
    },
  });
  Object.assign(parsed, findSwitchValues(args, flags));
  const positionals = parsed._.map(String);
  const { min, max } = command.positionals ?? { min: 0, max: 0 };
  // An unknown option may or may not take the next word as its value.
  if (mistakes.length === 0 && positionals.length > max) {
    const limit = max === 0 ? "no arguments" : `at most ${max}`;
    mistakes.push(
      `Unexpected argument ${truncate(maskUrl(positionals[max]!))}: ${command.name} takes ${limit}`,
    );
  }
  if (positionals.length < min) mistakes.push(`Missing argument ${command.positionals!.placeholder}`);
  const values: Record<string, unknown> = {};
  const settingErrors: (UsageError | undefined)[] = [];
  for (const [name, option] of entries) {
    const { value, origin } = findValue(name, option, parsed, environment);
    const result = option.schema.safeParse(value);
    if (result.success) {
      values[name] = result.data;
      settingErrors.push(catchUsageError(() => option.check?.(result.data, environment)));
    } else mistakes.push(`Cannot use ${origin}${formatValue(value)}: ${result.error.issues[0]!.message}`);
  }
  settingErrors.push(catchUsageError(() => readLimits(environment)));
  if (command.databases) settingErrors.push(catchUsageError(() => readDatabaseUrls(environment)));
  const all = [...mistakes, ...settingErrors.flatMap((error) => error?.mistakes ?? [])];
  if (all.length > 0) {
    const remedy = mistakes.length > 0
      ? `See: salesflow ${command.name} --help`
      : settingErrors.find((error) => error?.remedy)?.remedy;
    throw new UsageError(all, remedy);
  }
  return { values: values as Values<O>, positionals };
}

/**
 * Returns the last value of each switch by the name of its flag; undefined for one that is not given. parseArgs() takes every
 * text but `false` for true, and does not tell a switch that is off from one that is not given.
 */
function findSwitchValues(
  args: readonly string[],
  flags: ReadonlyMap<string, Option>,
): Record<string, boolean | string | undefined> {
  const switches = [...flags].filter(([, option]) => isSwitch(option)).map(([name]) => name);
  const values: Record<string, boolean | string | undefined> = {};
  for (const name of switches) values[name] = undefined;
  for (const arg of args.slice(0, args.includes("--") ? args.indexOf("--") : args.length)) {
    const [, name = "", text] = /^--([^=]+)(?:=(.*))?$/s.exec(arg) ?? [];
    if (switches.includes(name)) values[name] = text === undefined ? true : parseSwitch(text);
  }
  return values;
}

function parseSwitch(text: string): boolean | string {
  return SWITCH_TEXTS[text.toLowerCase()] ?? text;
}

/** Returns the unparsed value of an option, and the flag or variable that set it. */
function findValue(
  name: string,
  option: Option,
  parsed: Record<string, unknown>,
  environment: Environment,
): { value: unknown; origin: string } {
  const flag = `--${flagName(name)}`;
  const given = parsed[flagName(name)];
  if (option.multiple ? (given as string[]).length > 0 : given !== undefined) {
    return { value: given, origin: flag };
  }
  const variable = option.flagOnly ? undefined : environment(variableName(name));
  if (variable === undefined || variable === "") return { value: undefined, origin: flag };
  const value = isSwitch(option) ? parseSwitch(variable) : option.multiple ? [variable] : variable;
  return { value, origin: variableName(name) };
}

function truncate(text: string): string {
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

function formatValue(value: unknown): string {
  if (value === undefined) return "";
  return ` ${truncate(maskUrl(String(value))) || "without a value"}`;
}

/** Returns the text of `salesflow NAME --help`. */
export function commandHelp(command: Command): string {
  const positionals = command.positionals ? ` ${command.positionals.placeholder}` : "";
  const rows = Object.entries(command.options).map(([name, option]) => ({
    left: `--${flagName(name)}${option.placeholder ? ` ${option.placeholder}` : ""}`,
    right: option.help + (option.defaultText ? ` (default: ${option.defaultText})` : ""),
    variable: option.flagOnly ? "" : variableName(name),
  }));
  const width = Math.max(6, ...rows.map(({ left }) => left.length));
  const options = rows.map(({ left, right, variable }) =>
    `  ${left.padEnd(width)}  ${right}${variable ? `\n  ${"".padEnd(width)}  [${variable}]` : ""}`
  );
  return [
    command.summary,
    "",
    `Usage: salesflow ${command.name}${positionals} [options]`,
    ...(command.description ? ["", command.description] : []),
    "",
    "Options:",
    ...options,
    `  ${"--help".padEnd(width)}  Show this help`,
    ...(command.examples ? ["", "Examples:", ...command.examples.map((example) => `  ${example}`)] : []),
    "",
  ].join("\n");
}
