import { formatColumns } from "../../lib/console/columns.ts";
import { toPrintable } from "../../lib/console/printable.ts";
import { terminalWidth } from "../../lib/console/table.ts";
import { maskUrl } from "../../lib/connection/mask_url.ts";
import { type AnyCommand, defineCommand } from "../command.ts";
import { commonOptions, jsonOption } from "../options.ts";
import { startLogging } from "../session.ts";
import { describeSettings, type Setting } from "../settings.ts";
import { originOf } from "../settings_files.ts";

/** A setting with its value. The names are part of the interface: docs/json.md. */
interface ConfiguredSetting {
  variable: string;
  flag: string | null;
  /** As text, without secrets; null when it is not set. */
  value: string | null;
  /** `environment`, the path of a file, or `default`. */
  from: string;
  default: string;
}

function mask(text: string): string {
  const [scheme] = /^[a-z][a-z0-9+.-]*:\/\//i.exec(text) ?? [""];
  return `${scheme}…`;
}

function readSetting({ variable, flag, defaultText, secret }: Setting): ConfiguredSetting {
  const value = Deno.env.get(variable) || null;
  return {
    variable,
    flag: flag ?? null,
    value: value === null ? null : secret ? mask(value) : maskUrl(value),
    from: value === null ? "default" : originOf(variable) ?? "environment",
    default: defaultText,
  };
}

function format(settings: readonly ConfiguredSetting[]): string {
  return formatColumns([
    { name: "setting", cells: settings.map(({ variable }) => variable) },
    { name: "value", cells: settings.map((each) => toPrintable(each.value ?? each.default, 60)) },
    { name: "from", cells: settings.map(({ from }) => toPrintable(from, 80)) },
  ], terminalWidth());
}

/** `salesflow config`. */
const command: AnyCommand = defineCommand({
  name: "config",
  summary: "Show every setting, its value and where it comes from",
  description:
    "A value comes from the flag of a command, else from the environment, else from .env, else from salesflow.yaml, else it\n" +
    "is the default. Secrets are not shown. The settings are explained in docs/configuration.md.",
  options: { ...jsonOption, ...commonOptions },
  examples: ["salesflow config", "salesflow config --json"],
  async run(values, _positionals, program) {
    await startLogging(values);
    const settings = describeSettings(await program.loadCommands()).map(readSetting);
    console.log(values.json ? JSON.stringify(settings, null, 2) : format(settings));
  },
});
export default command;
