import { clean, type CleanOptions } from "../../lib/clean/clean.ts";
import { defaultThreads } from "../../lib/workers/pool.ts";
import { defineCommand, type Option, type Values } from "../command.ts";
import { fraction, stageOptions, toggle, workersOption } from "../options.ts";
import { Session } from "../session.ts";

/** How to clean; `run` has these options too. */
export const cleanOptions = {
  maxRejected: {
    help: "Largest share of refused rows that is still published",
    placeholder: "SHARE",
    schema: fraction(0, 1).default(0.1),
    defaultText: "0.1",
  },
  noDateRange: { help: "Accept sales outside the year up to as-of (ingested history)", schema: toggle },
  ...workersOption,
} satisfies Record<string, Option>;

/** Turns option values into what the stage takes. */
export function toCleanOptions(
  { maxRejected, noDateRange, workers }: Values<typeof cleanOptions>,
): CleanOptions {
  return { maxRejected, checkDateRange: !noDateRange, workers: workers ?? defaultThreads() };
}

export default defineCommand({
  name: "clean",
  summary: "Convert, validate and deduplicate raw sales",
  description:
    "Every refused row is kept in rejected/ with its file, line and reason. The rules are in docs/data_contract.md.",
  options: { ...cleanOptions, ...stageOptions },
  examples: ["salesflow clean", "salesflow clean --run-id orders-2025 --no-date-range --max-rejected 0.2"],
  async run(values) {
    await Session.with(values, {}, async (session) => {
      await session.stage("clean", (context) => clean(context, toCleanOptions(values)));
    });
  },
});
