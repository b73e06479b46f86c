import { transfer } from "../../lib/transfer/transfer.ts";
import { type AnyCommand, defineCommand } from "../command.ts";
import { stageOptions } from "../options.ts";
import { Session } from "../session.ts";

/** `salesflow transfer`. */
const command: AnyCommand = defineCommand({
  name: "transfer",
  summary: "Copy the aggregates to ClickHouse",
  description:
    "Replaces the partition of the import date (the run's as-of date). Other dates are not changed.",
  options: stageOptions,
  databases: true,
  examples: ["salesflow transfer", "salesflow transfer --run-id 2026-11-24"],
  async run(values) {
    await Session.with(values, { postgres: true, clickhouse: true }, async (session) => {
      await session.stage("transfer", transfer);
    });
  },
});
export default command;
