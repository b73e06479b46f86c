/**
 * Stand-in for `@std/cli/parse-args`, backed by `node:util`: exactly the behaviour that
 * tests/unit/std_contract_test.ts pins for both providers, and no more.
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

/** Parses command line arguments: `--name value`, `--name=value`, `--flag`, `--` and positionals in `_`. */
export function parseArgs(args: string[], options: ParseOptions = {}): { [name: string]: unknown; _: string[] } {
  const { string: texts = [], boolean: flags = [], collect = [], unknown = () => true } = options;
  const declared = Object.fromEntries([
    ...texts.map((name) => [name, { type: "string" as const, multiple: collect.includes(name) }]),
    ...flags.map((name) => [name, { type: "boolean" as const }]),
  ]);
  const result: { [name: string]: unknown; _: string[] } = { _: [] };
  for (const name of flags) result[name] = false;
  for (const name of collect) result[name] = [];
  const { tokens } = parse({ args, options: declared, strict: false, tokens: true, allowPositionals: true });
  for (const token of tokens) {
    if (token.kind === "positional") {
      if (unknown(token.value) !== false) result._.push(token.value);
    } else if (token.kind === "option") {
      if (texts.includes(token.name)) {
        // A text option at the end of the line, or before another option, has no value: the empty text.
        const value = token.value === undefined || (!token.inlineValue && token.value.startsWith("-") && token.value !== "-")
          ? ""
          : token.value;
        if (collect.includes(token.name)) (result[token.name] as string[]).push(value);
        else result[token.name] = value;
      } else if (flags.includes(token.name)) {
        result[token.name] = token.value === undefined || token.value === "true";
      } else if (unknown(token.rawName + (token.inlineValue ? `=${token.value}` : ""), token.name, token.value) !== false) {
        result[token.name] = token.value ?? true;
      }
    }
  }
  return result;
}
