import { aggregate } from "../../lib/aggregate/aggregate.ts";
import { defineCommand } from "../command.ts";
import { stageOptions } from "../options.ts";
import { Session } from "../session.ts";

export default defineCommand({
  name: "aggregate",
  summary: "Aggregate sales by region and product",
  description: "Counts, sums, average checks, shares and ranks at four levels, into shop.sales_aggregates.",
  options: stageOptions,
  databases: true,
  examples: ["salesflow aggregate", "salesflow aggregate --run-id 2026-11-24"],
  async run(values) {
    await Session.with(values, { postgres: true }, async (session) => {
      await session.stage("aggregate", aggregate);
    });
  },
});
