import { UsageError } from "../../lib/console/errors.ts";
import { type AnyCommand, defineCommand } from "../command.ts";
import { commonOptions, runOptions, sourceOption, storeOptions, wholeNumber } from "../options.ts";
import { openSelectedStore, startLogging } from "../session.ts";
import { previewSource } from "../source/preview.ts";
import { lookUpIds } from "../source/id.ts";
import { suggestFor } from "../source/suggest.ts";

/** `salesflow source`. */
const command: AnyCommand = defineCommand({
  name: "source",
  summary: "Write and try out source files, and find the ids of exports: suggest, preview, id",
  description:
    "suggest FILE…    looks at exports and prints a first source file; DECIDE stands where only you can know\n" +
    "preview [FILE…]  shows rows of exports before and after, counts by reason and by exclusion; writes nothing\n" +
    "id ID…           leads from the number of a sale, customer or product to its id in the export, and back",
  positionals: { placeholder: "suggest|preview|id …", min: 1, max: 10_000 },
  options: {
    ...sourceOption,
    rows: {
      help: "For preview: number of rows to show",
      placeholder: "N",
      schema: wholeNumber(0, 10_000).default(20),
      defaultText: "20",
      flagOnly: true,
    },
    ...runOptions,
    ...storeOptions,
    ...commonOptions,
  },
  examples: [
    "salesflow source suggest export.csv > shop.yaml",
    "salesflow source preview --source shop.yaml export.csv",
    "salesflow source id 4721584486695906864",
    "salesflow source id MUG-BLU",
  ],
  async run({ source, rows, asOf, ...values }, [action, ...words]) {
    await startLogging(values);
    if (action === "suggest") {
      if (words.length === 0) throw new UsageError(["suggest needs the exports: FILE…"]);
      console.log((await suggestFor(words)).trimEnd());
    } else if (action === "preview") {
      if (source === undefined) throw new UsageError(["preview needs --source FILE"]);
      console.log(await previewSource({ source, files: words, rows, asOf }));
    } else if (action === "id") {
      if (words.length === 0) throw new UsageError(["id needs the number or the text of an id"]);
      for (const line of await lookUpIds(openSelectedStore(values), values.runId, words)) console.log(line);
    } else {
      throw new UsageError([`There is no salesflow source ${action}: it must be suggest, preview or id`]);
    }
  },
});
export default command;
