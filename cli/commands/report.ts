import { report } from "../../lib/report/report.ts";
import { type AnyCommand, defineCommand } from "../command.ts";
import { stageOptions } from "../options.ts";
import { runLocation, Session } from "../session.ts";

/** `salesflow report`. */
const command: AnyCommand = defineCommand({
  name: "report",
  summary: "Write the HTML report",
  description:
    "Writes one self-contained file, report/report.html in the run's folder: totals, regions, products, seasonality and\ndata quality.",
  options: stageOptions,
  databases: true,
  examples: ["salesflow report"],
  async run(values) {
    await Session.with(values, { postgres: true }, async (session) => {
      await session.stage("report", report);
      console.log(runLocation(session, "report", "report.html"));
    });
  },
});
export default command;
