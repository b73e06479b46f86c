import { migrate } from "../../lib/migrate/migrate.ts";
import { defineCommand } from "../command.ts";
import { stageOptions } from "../options.ts";
import { Session } from "../session.ts";

export default defineCommand({
  name: "migrate",
  summary: "Create or update the tables in PostgreSQL and ClickHouse",
  description: "Applies each numbered migration once, under a lock; running it again changes nothing.",
  options: stageOptions,
  databases: true,
  examples: ["salesflow migrate"],
  async run(values) {
    await Session.with(values, { postgres: true, clickhouse: true, newRun: true }, async (session) => {
      await session.stage("migrate", migrate);
    });
  },
});
