/** Completions for fish. */
import { type CommandWords, type OptionWords, OTHER_FIRST_WORDS, type Place } from "./words.ts";

/** Quotes a word for fish, where a backslash escapes within quotes. */
function quote(text: string): string {
  return `'${text.replace(/['\\]/g, (letter) => `\\${letter}`)}'`;
}

/** Returns the flags that make fish offer the values of a place, and files only where one may stand. */
function placeFlags({ values, path }: Place): string {
  if (values.length > 0) return `-f -a ${quote(values.join(" "))}`;
  if (path === "folder") return "-f -a '(__fish_complete_directories (commandline -ct))'";
  return path === "file" ? "-F" : "-f";
}

function completeOption(command: string, option: OptionWords): string {
  const { flag, help, placeholder } = option;
  const value = placeholder === undefined ? "" : ` -r ${placeFlags(option)}`;
  return `complete -c salesflow -n '__salesflow_runs ${command}' -l ${flag}${value} -d ${quote(help)}`;
}

function completeCommand({ name, options, argument }: CommandWords): string[] {
  const condition = argument?.more ? `__salesflow_runs ${name}` : `__salesflow_runs ${name} 2`;
  return [
    ...options.map((option) => completeOption(name, option)),
    ...(argument ? [`complete -c salesflow -n '${condition}' ${placeFlags(argument)}`] : []),
  ];
}

/** Returns a script for fish that completes the command lines of salesflow. */
export function fishCompletions(commands: readonly CommandWords[]): string {
  const names = commands.map(({ name }) => name);
  const first = (word: string, summary?: string) =>
    `complete -c salesflow -n '__salesflow_has_words 1' -a ${quote(word)}${
      summary ? ` -d ${quote(summary)}` : ""
    }`;
  return [
    "# fish completions for salesflow",
    "function __salesflow_has_words",
    "    test (count (commandline -opc)) -eq $argv[1]",
    "end",
    "# The command is the first argument, after as many words as the second one.",
    "function __salesflow_runs",
    "    set -l words (commandline -opc)",
    '    test "$words[2]" = $argv[1]; and begin',
    "        not set -q argv[2]; or test (count $words) -eq $argv[2]",
    "    end",
    "end",
    "complete -c salesflow -e",
    "complete -c salesflow -f",
    ...commands.map(({ name, summary }) => first(name, summary)),
    ...OTHER_FIRST_WORDS.map((word) => first(word)),
    `complete -c salesflow -n '__salesflow_runs help 2' -a ${quote(names.join(" "))}`,
    ...commands.flatMap(completeCommand),
    "",
  ].join("\n");
}
