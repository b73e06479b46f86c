import { SalesflowError } from "../../lib/console/errors.ts";
import { defineCommand } from "../command.ts";
import { openDatabases } from "../databases.ts";
import { commonOptions, storeOptions } from "../options.ts";
import { drawsProgress, startLogging } from "../session.ts";
import { stopSignal } from "../stop_signal.ts";

/**
 * The addresses, to be pasted into a client, and commands that use them without the password among their arguments,
 * where every user of the machine could read it.
 */
function howToConnect(
  { postgresUrl, clickhouseUrl }: { postgresUrl: string; clickhouseUrl: string },
): string {
  const postgres = new URL(postgresUrl);
  const clickhouse = new URL(clickhouseUrl);
  const passwords = [postgres, clickhouse].map(({ password }) => decodeURIComponent(password));
  postgres.password = "";
  return [
    `PostgreSQL: ${postgresUrl}`,
    `ClickHouse: ${clickhouseUrl}`,
    "In a shell, without the passwords in the list of processes:",
    `  PGPASSWORD='${passwords[0]}' psql "${postgres.href}"`,
    `  echo 'user = "${clickhouse.username}:${
      passwords[1]
    }"' | curl -K - "${clickhouse.origin}" --data "SELECT version()"`,
  ].join("\n");
}

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
    console.log(howToConnect(databases));
    console.log("Ctrl-C stops both.");
    await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
    await databases.close();
    if (!(signal.reason instanceof SalesflowError)) throw signal.reason;
  },
});
