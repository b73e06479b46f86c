import { migrate } from "../../lib/migrate/migrate.ts";
import { type AnyCommand, defineCommand } from "../command.ts";
import { stageOptions, toggle } from "../options.ts";
import { Session } from "../session.ts";

/** `salesflow migrate`. */
const command: AnyCommand = defineCommand({
  name: "migrate",
  summary: "Create or update the tables in PostgreSQL and ClickHouse",
  description: "Applies each numbered migration once, under a lock. Running it again has no effect.",
  options: {
    roles: {
      help: "Also create the roles salesflow_writer (for the pipeline) and salesflow_reader (for reports)",
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
export default command;
