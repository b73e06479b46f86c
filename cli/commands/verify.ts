import { verify } from "../../lib/verify/verify.ts";
import { type AnyCommand, defineCommand } from "../command.ts";
import { stageOptions } from "../options.ts";
import { Session } from "../session.ts";

/** `salesflow verify`. */
const command: AnyCommand = defineCommand({
  name: "verify",
  summary: "Compare files, PostgreSQL and ClickHouse",
  description: "Recounts rows, exact sums and content in all three, and fails on any difference.",
  options: stageOptions,
  databases: true,
  examples: ["salesflow verify", "salesflow verify --run-id 2026-11-24"],
  async run(values) {
    await Session.with(values, { postgres: true, clickhouse: true }, async (session) => {
      await session.stage("verify", verify);
    });
  },
});
export default command;
