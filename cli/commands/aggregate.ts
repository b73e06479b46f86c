import { aggregate } from "../../lib/aggregate/aggregate.ts";
import { type AnyCommand, defineCommand } from "../command.ts";
import { stageOptions } from "../options.ts";
import { Session } from "../session.ts";

/** `salesflow aggregate`. */
const command: AnyCommand = defineCommand({
  name: "aggregate",
  summary: "Aggregate sales by region and product",
  description:
    "Computes counts, sums, average sale amounts, shares and ranks at four levels into shop.sales_aggregates.",
  options: stageOptions,
  databases: true,
  examples: ["salesflow aggregate", "salesflow aggregate --run-id 2026-11-24"],
  async run(values) {
    await Session.with(values, { postgres: true }, async (session) => {
      await session.stage("aggregate", aggregate);
    });
  },
});
export default command;
