import { verify } from "../../lib/verify/verify.ts";
import { defineCommand } from "../command.ts";
import { stageOptions } from "../options.ts";
import { Session } from "../session.ts";

export default defineCommand({
  name: "verify",
  summary: "Recount everything across the boundaries",
  description:
    "Compares rows, exact sums and content of files, PostgreSQL and ClickHouse; fails on the first cent of difference.",
  options: stageOptions,
  databases: true,
  examples: ["salesflow verify", "salesflow verify --run-id 2026-11-24"],
  async run(values) {
    await Session.with(values, { postgres: true, clickhouse: true }, async (session) => {
      await session.stage("verify", verify);
    });
  },
});
