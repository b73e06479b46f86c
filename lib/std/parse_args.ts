/**
 * Stand-in for `@std/cli/parse-args`, backed by `node:util`. Implements only the behaviour that
 * tests/unit/std/parse_args_test.ts specifies for both providers.
 */
import { parseArgs as parse } from "node:util";

/** Supported options of {@linkcode parseArgs}. */
export interface ParseOptions {
  /** Options with a value; the last one wins unless collected. */
  string?: string[];
  /** Options without a value; false if absent. */
  boolean?: string[];
  /** Options of `string` that may be repeated; [] if absent. */
  collect?: string[];
  /** Called for each undeclared option and each positional argument; if it returns false, the argument is omitted. */
  unknown?: (arg: string, key?: string, value?: unknown) => unknown;
}

/** Appends `=` to options without a value, so that the option that follows is not taken as the value. */
function markEmptyValues(args: readonly string[], texts: readonly string[]): string[] {
  const end = args.includes("--") ? args.indexOf("--") : args.length;
  return args.map((arg, index) => {
    const next = args[index + 1];
    const isEmpty = index < end && arg.startsWith("--") && texts.includes(arg.slice(2)) &&
      (!next || /^-./.test(next));
    return isEmpty ? `${arg}=` : arg;
  });
}

/** Parses command-line arguments: `--name value`, `--name=value`, `--flag`, `--`; positional arguments go to `_`. */
export function parseArgs(
  args: string[],
  options: ParseOptions = {},
): { [name: string]: unknown; _: string[] } {
  const { string: texts = [], boolean: flags = [], collect = [], unknown = () => true } = options;
  const declared = Object.fromEntries([
    ...texts.map((name) => [name, { type: "string" as const, multiple: collect.includes(name) }]),
    ...flags.map((name) => [name, { type: "boolean" as const }]),
  ]);
  const result: { [name: string]: unknown; _: string[] } = { _: [] };
  for (const name of flags) result[name] = false;
  for (const name of collect) result[name] = [];
  const { tokens } = parse({
    args: markEmptyValues(args, texts),
    options: declared,
    strict: false,
    tokens: true,
    allowPositionals: true,
  });
  for (const token of tokens) {
    if (token.kind === "positional") {
      if (unknown(token.value) !== false) result._.push(token.value);
    } else if (token.kind === "option") {
      const { name, value, rawName, inlineValue } = token;
      if (collect.includes(name)) (result[name] as string[]).push(value ?? "");
      else if (texts.includes(name)) result[name] = value ?? "";
      else if (flags.includes(name)) result[name] = value === undefined || value === "true";
      else if (unknown(inlineValue ? `${rawName}=${value}` : rawName, name, value) !== false) {
        result[name] = value ?? true;
      }
    }
  }
  return result;
}
