import { load } from "../../lib/load/load.ts";
import { type AnyCommand, defineCommand } from "../command.ts";
import { stageOptions } from "../options.ts";
import { Session } from "../session.ts";

/** `salesflow load`. */
const command: AnyCommand = defineCommand({
  name: "load",
  summary: "Publish clean sales in PostgreSQL",
  description:
    "Copies the clean parts into PostgreSQL (COPY) and publishes them in one transaction: readers see either the old or\nthe new sales.",
  options: stageOptions,
  databases: true,
  examples: ["salesflow load", "salesflow load --run-id 2026-11-24"],
  async run(values) {
    await Session.with(values, { postgres: true }, async (session) => {
      await session.stage("load", (context) => load(context, { lockTables: true }));
    });
  },
});
export default command;
