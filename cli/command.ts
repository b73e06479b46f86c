/**
 * Commands as data: name, description, typed options and what to run. Parsing, help and validation come from the same declaration.
 * An option's value comes from its flag, then from the environment (`SALESFLOW_` and its name), then from its default.
 */
import { parseArgs } from "@std/cli/parse-args";
import { z } from "zod";
import { databaseUrls, type Environment } from "../lib/connection/database_urls.ts";
import { UsageError, usageErrorOf } from "../lib/console/errors.ts";
import { limitsFrom } from "../lib/connection/limits.ts";
import { maskUrl } from "../lib/connection/mask_url.ts";

/** One option of a command. */
export interface Option<Schema extends z.ZodType = z.ZodType> {
  /** For `--help`, as a phrase. */
  help: string;
  /** Turns the text (or, for a switch, the boolean) into the value. */
  schema: Schema;
  /** What stands for the value in `--help`; a switch has none. */
  placeholder?: string;
  /** Given several times; the schema gets the list of texts. */
  many?: boolean;
  /** The default as people read it; the schema holds the real one. */
  defaultText?: string;
  /** Looks at what the value stands for, with what the environment says about it; throws a {@linkcode UsageError}. */
  check?: (value: z.output<Schema>, environment: Environment) => void;
  /** Not read from the environment: it makes sense for one call only. */
  flagOnly?: boolean;
}

/** Options by name, as on the command line but in camelCase. */
export type Options = Record<string, Option>;

/** The values that options have after validation. */
export type Values<O extends Options> = { [Name in keyof O]: z.output<O[Name]["schema"]> };

/** A command. */
export interface Command<O extends Options = Options> {
  name: string;
  /** One line. */
  summary: string;
  /** More, for `--help` of the command. */
  description?: string;
  /** Such as `FILE…`; commands without it take no positional arguments. */
  positionals?: { placeholder: string; min: number; max: number };
  options: O;
  /** Uses databases: where they are is checked together with the options. */
  databases?: boolean;
  /** Examples for `--help`. */
  examples?: readonly string[];
  /** Does the work; resolves when it is done. */
  run(values: Values<O>, positionals: string[]): Promise<void>;
}

/** Declares a command; only there for its types. */
export function defineCommand<const O extends Options>(command: Command<O>): Command<O> {
  return command;
}

/** `maxRejected` → `max-rejected`. */
export function flagName(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** `maxRejected` → `SALESFLOW_MAX_REJECTED`. */
export function variableName(name: string): string {
  return `SALESFLOW_${flagName(name).replaceAll("-", "_").toUpperCase()}`;
}

function isSwitch(option: Option): boolean {
  return option.placeholder === undefined;
}

/** Close enough to be a slip of the finger. */
function similar(word: string, candidates: readonly string[]): string | undefined {
  const distance = (a: string, b: string): number => {
    let row = Array.from({ length: b.length + 1 }, (_, i) => i);
    for (let i = 1; i <= a.length; i++) {
      const next = [i];
      for (let j = 1; j <= b.length; j++) {
        next[j] = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1));
      }
      row = next;
    }
    return row[b.length]!;
  };
  return candidates.map((name) => ({ name, far: distance(word, name) }))
    // Two letters of a short word are most of it.
    .filter(({ name, far }) => far <= Math.min(2, Math.max(word.length, name.length) / 3))
    .sort((a, b) => a.far - b.far)[0]?.name;
}

/** For a word that is no command or flag: what may have been meant. */
export function didYouMean(word: string, candidates: readonly string[]): string {
  const found = similar(word, candidates);
  return found ? ` Did you mean ${found}?` : "";
}

/**
 * Values and positionals of a command line.
 *
 * @throws {UsageError} naming every mistake at once
 */
export function parseCommandLine<O extends Options>(
  command: Command<O>,
  args: string[],
  environment: Environment = (name) => Deno.env.get(name),
): { values: Values<O>; positionals: string[] } {
  const entries = Object.entries(command.options);
  const mistakes: string[] = [];
  const flags = new Map(entries.map(([name, option]) => [flagName(name), option]));
  const parsed = parseArgs(args, {
    string: [...flags].filter(([, option]) => !isSwitch(option)).map(([name]) => name),
    boolean: [...flags].filter(([, option]) => isSwitch(option)).map(([name]) => name),
    collect: [...flags].filter(([, option]) => option.many).map(([name]) => name),
    unknown: (arg: string, key?: string) => {
      if (key === undefined) return true;
      const flag = /^--?[\w-]+(?==|$)/.exec(arg)?.[0] ?? shortened(maskUrl(arg));
      mistakes.push(
        `There is no option ${flag}.${didYouMean(flag, [...flags.keys()].map((name) => `--${name}`))}`,
      );
      return false;
    },
  });
  const positionals = parsed._.map(String);
  const { min, max } = command.positionals ?? { min: 0, max: 0 };
  // After an unknown option nobody knows whether the next word is its value.
  if (mistakes.length === 0 && positionals.length > max) {
    mistakes.push(
      `Cannot use the argument ${shortened(maskUrl(positionals[max]!))}: ${command.name} takes ${
        max || "none"
      }`,
    );
  }
  if (positionals.length < min) mistakes.push(`${command.positionals!.placeholder} is missing`);
  const values: Record<string, unknown> = {};
  const configuration: (UsageError | undefined)[] = [];
  for (const [name, option] of entries) {
    const { value, origin } = rawValue(name, option, parsed, environment);
    const result = option.schema.safeParse(value);
    if (result.success) {
      values[name] = result.data;
      configuration.push(usageErrorOf(() => option.check?.(result.data, environment)));
    } else mistakes.push(`Cannot use ${origin}${valueForMessage(value)}: ${result.error.issues[0]!.message}`);
  }
  configuration.push(usageErrorOf(() => limitsFrom(environment)));
  if (command.databases) configuration.push(usageErrorOf(() => databaseUrls(environment)));
  const all = [...mistakes, ...configuration.flatMap((error) => error?.mistakes ?? [])];
  if (all.length > 0) {
    const remedy = mistakes.length > 0
      ? `See: salesflow ${command.name} --help`
      : configuration.find((error) => error?.remedy)?.remedy;
    throw new UsageError(all, remedy);
  }
  return { values: values as Values<O>, positionals };
}

function rawValue(
  name: string,
  option: Option,
  parsed: Record<string, unknown>,
  environment: Environment,
): { value: unknown; origin: string } {
  const flag = `--${flagName(name)}`;
  const given = parsed[flagName(name)];
  if (
    isSwitch(option) ? given === true : option.many ? (given as string[]).length > 0 : given !== undefined
  ) {
    return { value: given, origin: flag };
  }
  const variable = option.flagOnly ? undefined : environment(variableName(name));
  if (variable === undefined || variable === "") return { value: undefined, origin: flag };
  const value = isSwitch(option)
    ? !["0", "false", "no"].includes(variable.toLowerCase())
    : option.many
    ? [variable]
    : variable;
  return { value, origin: variableName(name) };
}

function shortened(text: string): string {
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

function valueForMessage(value: unknown): string {
  if (value === undefined) return "";
  return ` ${shortened(maskUrl(String(value))) || "without a value"}`;
}

/** Text of `salesflow NAME --help`. */
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
