/** What a shell can complete, taken from the declarations that also make `--help`. */
import { z } from "zod";
import { type Command, flagName, type Option } from "../command.ts";

/** What may stand in one place of a command line. */
export interface Place {
  /** All possible words, if they are known; empty otherwise. */
  values: readonly string[];
  /** Whether a file or a folder may stand there. */
  path: "file" | "folder" | undefined;
}

/** An option as shells know it. */
export interface OptionWords extends Place {
  /** Without the dashes. */
  flag: string;
  /** For people. */
  help: string;
  /** Name of the value for people; undefined for a switch. */
  placeholder: string | undefined;
  /** Whether it may be repeated. */
  multiple: boolean;
}

/** A command as shells know it. */
export interface CommandWords {
  /** Name. */
  name: string;
  /** For people. */
  summary: string;
  /** Its options, `--help` included. */
  options: OptionWords[];
  /** Its first argument; undefined when it has none. */
  argument: (Place & { placeholder: string; more: boolean }) | undefined;
}

/** Words with which a command line may begin, apart from the commands. */
export const OTHER_FIRST_WORDS: readonly string[] = ["help", "--help", "--version"];

/** Returns the values of a schema that accepts only some; empty for all others. */
function enumeratedValues(schema: z.ZodType): string[] {
  if (schema instanceof z.ZodEnum) return schema.options.map(String);
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault) {
    return enumeratedValues(schema.unwrap() as z.ZodType);
  }
  return [];
}

function pathOf(placeholder: string | undefined): Place["path"] {
  if (placeholder === undefined) return undefined;
  return /\bFILE\b/.test(placeholder) ? "file" : /\bFOLDER\b/.test(placeholder) ? "folder" : undefined;
}

function describeOption([name, option]: [string, Option]): OptionWords {
  const { help, placeholder, multiple = false, schema } = option;
  const values = enumeratedValues(schema);
  return { flag: flagName(name), help, placeholder, multiple, values, path: pathOf(placeholder) };
}

function describeArgument({ positionals }: Command): CommandWords["argument"] {
  if (!positionals) return undefined;
  const { placeholder, max } = positionals;
  const [first = ""] = placeholder.split(" ");
  const values = /^[a-z|]+$/.test(first) ? first.split("|") : [];
  // More than one file may follow, but not more than one of the values.
  return { placeholder, values, path: pathOf(placeholder), more: max > 1 && values.length === 0 };
}

/** Describes commands for shells. */
export function describeCommands(commands: readonly Command[]): CommandWords[] {
  const help: OptionWords = {
    flag: "help",
    help: "Show this help",
    placeholder: undefined,
    multiple: false,
    values: [],
    path: undefined,
  };
  return commands.map((command) => ({
    name: command.name,
    summary: command.summary,
    options: [...Object.entries(command.options).map(describeOption), help],
    argument: describeArgument(command),
  }));
}
