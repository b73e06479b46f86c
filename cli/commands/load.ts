import { load } from "../../lib/load/load.ts";
import { defineCommand } from "../command.ts";
import { stageOptions } from "../options.ts";
import { Session } from "../session.ts";

export default defineCommand({
  name: "load",
  summary: "Publish clean sales in PostgreSQL",
  description:
    "Streams the clean parts into PostgreSQL with COPY and publishes them in one transaction: readers see the old sales or the new ones.",
  options: stageOptions,
  databases: true,
  examples: ["salesflow load", "salesflow load --run-id 2026-11-24"],
  async run(values) {
    await Session.with(values, { postgres: true }, async (session) => {
      await session.stage("load", load);
    });
  },
});
