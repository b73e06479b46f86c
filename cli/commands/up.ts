import { SalesflowError } from "../../lib/console/errors.ts";
import { type AnyCommand, defineCommand } from "../command.ts";
import { openDatabases } from "../databases.ts";
import { commonOptions, storeOptions } from "../options.ts";
import { shouldDrawProgress, startLogging } from "../session.ts";
import { stopSignal } from "../stop_signal.ts";

/**
 * Formats the URLs, for clients, and shell commands that keep the passwords out of their arguments, which every user of
 * the machine can read.
 */
function formatConnections(
  { postgresUrl, clickhouseUrl }: { postgresUrl: string; clickhouseUrl: string },
): string {
  const postgres = new URL(postgresUrl);
  const clickhouse = new URL(clickhouseUrl);
  const passwords = [postgres, clickhouse].map(({ password }) => decodeURIComponent(password));
  postgres.password = "";
  return [
    `PostgreSQL: ${postgresUrl}`,
    `ClickHouse: ${clickhouseUrl}`,
    "From a shell, without passwords in the process list:",
    `  PGPASSWORD='${passwords[0]}' psql "${postgres.href}"`,
    `  echo 'user = "${clickhouse.username}:${
      passwords[1]
    }"' | curl -K - "${clickhouse.origin}" --data "SELECT version()"`,
  ].join("\n");
}

/** `salesflow up`. */
const command: AnyCommand = defineCommand({
  name: "up",
  summary: "Keep the embedded databases running and print how to connect",
  description: "Runs until Ctrl-C. Meanwhile, other salesflow commands with the same home use these servers.",
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
      shouldDrawProgress(values),
    );
    console.log(formatConnections(databases));
    console.log("Press Ctrl-C to stop both.");
    await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
    await databases.close();
    if (!(signal.reason instanceof SalesflowError)) throw signal.reason;
  },
});
export default command;
