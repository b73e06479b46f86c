import { UsageError } from "../../lib/console/errors.ts";
import { type AnyCommand, defineCommand } from "../command.ts";
import { bashCompletions } from "../completions/bash.ts";
import { fishCompletions } from "../completions/fish.ts";
import { type CommandWords, describeCommands } from "../completions/words.ts";
import { zshCompletions } from "../completions/zsh.ts";

const SHELLS: Readonly<Record<string, (commands: readonly CommandWords[]) => string>> = {
  bash: bashCompletions,
  zsh: zshCompletions,
  fish: fishCompletions,
};

/** `salesflow completions`. */
const command: AnyCommand = defineCommand({
  name: "completions",
  summary: "Print a script with which bash, zsh or fish complete commands, options, their values and files",
  description:
    "The shell completes commands that begin with the word salesflow: put the executable, or a link to it, in your PATH.",
  positionals: { placeholder: "bash|zsh|fish", min: 1, max: 1 },
  options: {},
  examples: [
    'eval "$(salesflow completions bash)"     # in ~/.bashrc; in ~/.zshrc after compinit, with zsh',
    "salesflow completions fish > ~/.config/fish/completions/salesflow.fish",
  ],
  async run(_values, [shell = ""], program) {
    if (!Object.hasOwn(SHELLS, shell)) {
      throw new UsageError(
        [`Unknown shell ${shell}: it must be bash, zsh or fish`],
        "See: salesflow completions --help",
      );
    }
    console.log(SHELLS[shell]!(describeCommands(await program.loadCommands())).trimEnd());
  },
});
export default command;
