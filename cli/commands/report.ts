import { join } from "node:path";
import { report } from "../../lib/report/report.ts";
import { defineCommand } from "../command.ts";
import { stageOptions } from "../options.ts";
import { runPlace, Session } from "../session.ts";

export default defineCommand({
  name: "report",
  summary: "Write the HTML report",
  description:
    "One self-contained file, report/report.html in the run's folder: totals, regions, products, seasons, data quality.",
  options: stageOptions,
  databases: true,
  examples: ["salesflow report"],
  async run(values) {
    await Session.with(values, { postgres: true }, async (session) => {
      await session.stage("report", report);
      console.log(join(runPlace(session), "report", "report.html"));
    });
  },
});
