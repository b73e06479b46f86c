import { SalesflowError } from "../../lib/errors.ts";
import { defineCommand } from "../command.ts";
import { commonOptions, storeOptions } from "../options.ts";
import { drawsProgress, openDatabases, startLogging, stopSignal } from "../session.ts";

export default defineCommand({
  name: "up",
  summary: "Keep the embedded databases running and print how to connect",
  description:
    "Runs until Ctrl-C. Other salesflow commands with the same home use the same servers meanwhile.",
  options: { home: storeOptions.home, ...commonOptions },
  examples: ["salesflow up"],
  async run(values) {
    await startLogging(values);
    const signal = stopSignal();
    const databases = await openDatabases(
      values.home,
      { postgres: true, clickhouse: true },
      { postgresUrl: undefined, clickhouseUrl: undefined },
      signal,
      drawsProgress(values),
    );
    const { username, password, origin } = new URL(databases.clickhouseUrl);
    console.log(`PostgreSQL: psql "${databases.postgresUrl}"`);
    console.log(`ClickHouse: curl "${origin}" --user "${username}:${password}" --data "SELECT version()"`);
    console.log(`            ${databases.clickhouseUrl}`);
    console.log("Ctrl-C stops both.");
    await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
    await databases.close();
    if (!(signal.reason instanceof SalesflowError)) throw signal.reason;
  },
});
