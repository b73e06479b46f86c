/** Completions for zsh. */
import { type CommandWords, type OptionWords, OTHER_FIRST_WORDS, type Place } from "./words.ts";

/** Quotes a word for the shell. */
function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** Escapes what separates the parts of a specification of `_arguments`. */
function escapePart(text: string): string {
  return text.replace(/[\\:[\]]/g, (letter) => `\\${letter}`);
}

function action({ values, path }: Place): string {
  if (values.length > 0) return `(${values.join(" ")})`;
  return path === undefined ? " " : path === "file" ? "_files" : "_path_files -/";
}

function optionSpec(option: OptionWords): string {
  const { flag, help, placeholder, multiple } = option;
  const text = `[${escapePart(help)}]`;
  if (placeholder === undefined) return quote(`--${flag}${text}`);
  return quote(`${multiple ? "*" : ""}--${flag}=${text}:${escapePart(placeholder)}:${action(option)}`);
}

function commandCase({ name, options, argument }: CommandWords): string[] {
  const specs = options.map(optionSpec);
  // With nothing to complete, a specification of it would keep options from being completed.
  if (argument && (argument.values.length > 0 || argument.path !== undefined)) {
    const position = argument.more ? "*" : "1";
    specs.push(quote(`${position}:${escapePart(argument.placeholder)}:${action(argument)}`));
  }
  return [`    ${name})`, `      _arguments ${specs.join(" \\\n        ")} ;;`];
}

/** Returns a script for zsh that completes the command lines of salesflow, to be sourced or put in a folder of `fpath`. */
export function zshCompletions(commands: readonly CommandWords[]): string {
  const described = commands.map(({ name, summary }) => `    ${quote(`${name}:${escapePart(summary)}`)}`);
  return [
    "#compdef salesflow",
    "_salesflow() {",
    "  local -a commands=(",
    ...described,
    "  )",
    "  if ((CURRENT == 2)); then",
    "    _describe command commands",
    `    compadd -- ${OTHER_FIRST_WORDS.join(" ")}`,
    "    return",
    "  fi",
    "  shift words",
    "  ((CURRENT--))",
    "  case $words[1] in",
    "    help) _describe command commands ;;",
    ...commands.flatMap(commandCase),
    "  esac",
    "}",
    'if [[ $funcstack[1] == _salesflow ]]; then _salesflow "$@"; else compdef _salesflow salesflow; fi',
    "",
  ].join("\n");
}
