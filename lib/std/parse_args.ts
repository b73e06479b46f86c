/**
 * Stand-in for `@std/cli/parse-args`, backed by `node:util`: exactly the behaviour that
 * tests/unit/std/contract_test.ts pins for both providers, and no more.
 */
import { parseArgs as parse } from "node:util";

/** The options that this project uses. */
export interface ParseOptions {
  /** Options that take a text; given twice, the last one counts unless collected. */
  string?: string[];
  /** Options that take none; absent means false. */
  boolean?: string[];
  /** Options of `string` that may be given several times; absent means []. */
  collect?: string[];
  /** Called for every option that is not declared and for every positional; false leaves it out. */
  unknown?: (arg: string, key?: string, value?: unknown) => unknown;
}

/** An option is never taken for the value of the text option before it: that one gets the empty text. */
function closeEmptyOptions(args: readonly string[], texts: readonly string[]): string[] {
  const end = args.includes("--") ? args.indexOf("--") : args.length;
  return args.map((arg, index) => {
    const next = args[index + 1];
    const isEmpty = index < end && arg.startsWith("--") && texts.includes(arg.slice(2)) &&
      (!next || /^-./.test(next));
    return isEmpty ? `${arg}=` : arg;
  });
}

/** Parses command line arguments: `--name value`, `--name=value`, `--flag`, `--` and positionals in `_`. */
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
    args: closeEmptyOptions(args, texts),
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
