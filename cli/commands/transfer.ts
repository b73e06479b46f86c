import { transfer } from "../../lib/transfer/transfer.ts";
import { defineCommand } from "../command.ts";
import { stageOptions } from "../options.ts";
import { Session } from "../session.ts";

export default defineCommand({
  name: "transfer",
  summary: "Move the aggregates to ClickHouse",
  description: "Replaces the partition of the import date, which is the run's as-of date; other dates stay.",
  options: stageOptions,
  databases: true,
  examples: ["salesflow transfer", "salesflow transfer --run-id 2026-11-24"],
  async run(values) {
    await Session.with(values, { postgres: true, clickhouse: true }, async (session) => {
      await session.stage("transfer", transfer);
    });
  },
});
