/** Completions for bash 3.2 or newer. */
import { type CommandWords, OTHER_FIRST_WORDS, type Place } from "./words.ts";

/** Returns the statement that completes the current word; undefined where nothing is known. */
function completePlace({ values, path }: Place): string | undefined {
  if (values.length > 0) return `_salesflow_words ${values.join(" ")}`;
  return path && `_salesflow_paths ${path === "file" ? "default" : "dirnames"}`;
}

function optionCase({ name, options }: CommandWords): string[] {
  return options.filter(({ placeholder }) => placeholder !== undefined).map((option) =>
    `    "${name} --${option.flag}") ${completePlace(option) ?? ":"}; return ;;`
  );
}

function commandCase({ name, options, argument }: CommandWords): string[] {
  const flags = options.map(({ flag }) => `--${flag}`).join(" ");
  const place = argument && completePlace(argument);
  return [
    `    ${name})`,
    `      if [[ $current == -* ]]; then _salesflow_words ${flags}`,
    ...(place && argument.more ? [`      else ${place}`] : []),
    ...(place && !argument.more ? [`      elif ((COMP_CWORD == 2)); then ${place}`] : []),
    ...(place ? [] : [`      else _salesflow_words ${flags}`]),
    "      fi ;;",
  ];
}

/** Returns a script for bash that completes the command lines of salesflow. */
export function bashCompletions(commands: readonly CommandWords[]): string {
  const names = commands.map(({ name }) => name).join(" ");
  return [
    "# bash completions for salesflow",
    "_salesflow_words() {",
    `  COMPREPLY=($(compgen -W "$*" -- "$current"))`,
    "}",
    "_salesflow_paths() {",
    "  # Readline quotes and finishes paths itself; before bash 4 it offers only names here.",
    `  compopt -o "$1" 2> /dev/null || COMPREPLY=($(compgen -f -- "$current"))`,
    "}",
    "_salesflow() {",
    "  local IFS=$' \\t\\n' current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}",
    "  COMPREPLY=()",
    "  # Bash splits --name=value into three words.",
    "  if [[ $current == = ]]; then current=",
    "  elif [[ $previous == = ]]; then previous=${COMP_WORDS[COMP_CWORD - 2]}; fi",
    "  if ((COMP_CWORD == 1)); then",
    `    _salesflow_words ${names} ${OTHER_FIRST_WORDS.join(" ")}`,
    "    return",
    "  fi",
    '  case "${COMP_WORDS[1]} $previous" in',
    `    "help help") _salesflow_words ${names}; return ;;`,
    ...commands.flatMap(optionCase),
    "  esac",
    '  case "${COMP_WORDS[1]}" in',
    ...commands.flatMap(commandCase),
    "  esac",
    "}",
    "complete -F _salesflow salesflow",
    "",
  ].join("\n");
}
