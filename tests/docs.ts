/** `deno task docs`: writes the reference of all settings, from their declarations, into docs/configuration.md. */
import { describeSettings, updateReference } from "../cli/settings.ts";
import { readArguments } from "./arguments.ts";
import { loadCommands } from "./cli/command.ts";

readArguments({
  command: "deno task docs",
  summary: "Writes the reference of all settings into docs/configuration.md.",
  flags: {},
});
const file = new URL("../docs/configuration.md", import.meta.url);
await Deno.writeTextFile(
  file,
  updateReference(await Deno.readTextFile(file), describeSettings(await loadCommands())),
);
console.log("docs/configuration.md is up to date");
