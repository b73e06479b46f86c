import { clean, type CleanOptions } from "../../lib/clean/clean.ts";
import { defaultThreads } from "../../lib/workers/pool.ts";
import { type AnyCommand, defineCommand, type Option, type Values } from "../command.ts";
import { fraction, stageOptions, toggle, workersOption } from "../options.ts";
import { Session } from "../session.ts";

/** Options of `clean` and `run`. */
export const cleanOptions = {
  maxRejected: {
    help: "Maximum share of rejected rows",
    placeholder: "SHARE",
    schema: fraction(0, 1).default(0.1),
    defaultText: "0.1",
  },
  noDateRange: {
    help: "Accept sales outside the year before the as-of date (for ingested history)",
    schema: toggle,
  },
  ...workersOption,
} satisfies Record<string, Option>;

/** Converts option values to the options of the stage. */
export function toCleanOptions(
  { maxRejected, noDateRange, workers }: Values<typeof cleanOptions>,
): CleanOptions {
  return { maxRejected, checkDateRange: !noDateRange, workers: workers ?? defaultThreads() };
}

/** `salesflow clean`. */
const command: AnyCommand = defineCommand({
  name: "clean",
  summary: "Convert, validate and deduplicate raw sales",
  description:
    "Rejected rows are kept in rejected/ with file, line and reason. The rules are in docs/data_contract.md.",
  options: { ...cleanOptions, ...stageOptions },
  examples: ["salesflow clean", "salesflow clean --run-id orders-2025 --no-date-range --max-rejected 0.2"],
  async run(values) {
    await Session.with(values, {}, async (session) => {
      await session.stage("clean", (context) => clean(context, toCleanOptions(values)));
    });
  },
});
export default command;
