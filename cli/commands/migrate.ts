import { migrate } from "../../lib/migrate/migrate.ts";
import { defineCommand } from "../command.ts";
import { stageOptions, toggle } from "../options.ts";
import { Session } from "../session.ts";

export default defineCommand({
  name: "migrate",
  summary: "Create or update the tables in PostgreSQL and ClickHouse",
  description: "Applies each numbered migration once, under a lock; running it again changes nothing.",
  options: {
    roles: {
      help: "Also make the roles salesflow_writer (for the pipeline) and salesflow_reader (for reports)",
      schema: toggle,
    },
    ...stageOptions,
  },
  databases: true,
  examples: ["salesflow migrate", "salesflow migrate --roles"],
  async run(values) {
    await Session.with(values, { postgres: true, clickhouse: true, newRun: true }, async (session) => {
      await session.stage("migrate", (context) => migrate(context, { roles: values.roles }));
    });
  },
});
