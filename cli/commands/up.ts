import { resolve } from "node:path";
import { SalesflowError } from "../../lib/console/errors.ts";
import { logger } from "../../lib/console/log.ts";
import { asTyped, quoteWord } from "../../lib/console/invocation.ts";
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
  home: string,
): string {
  const postgres = new URL(postgresUrl);
  const clickhouse = new URL(clickhouseUrl);
  const passwords = [postgres, clickhouse].map(({ password }) => decodeURIComponent(password));
  postgres.password = "";
  const sql = (database: string) =>
    asTyped(`salesflow sql ${database} "SELECT version()"`) +
    (home === resolve(".salesflow") ? "" : ` --home ${quoteWord(home)}`);
  return [
    `PostgreSQL: ${postgresUrl}`,
    `ClickHouse: ${clickhouseUrl}`,
    "From a shell, without passwords in the process list:",
    `  PGPASSWORD='${passwords[0]}' psql "${postgres.href}"`,
    `  echo 'user = "${clickhouse.username}:${
      passwords[1]
    }"' | curl -K - "${clickhouse.origin}" --data "SELECT version()"`,
    "Without psql and curl:",
    `  ${sql("postgres")}`,
    `  ${sql("clickhouse")}`,
    "From Java and DBeaver (JDBC), with the passwords above:",
    `  jdbc:postgresql://${postgres.host}${postgres.pathname}?user=${postgres.username}`,
    `  jdbc:clickhouse:${clickhouse.origin}/default?user=${clickhouse.username}&compress=false`,
    "This ClickHouse answers HTTP only, without ClickHouse's own compression; there is no native protocol (port 9000).",
  ].join("\n");
}

/** Warns that other commands use configured servers, and so not those that `up` runs. Does not read or check their URLs. */
function warnOfConfiguredServers(): void {
  const variables = ["POSTGRES_URL", "POSTGRES_URL_FILE", "CLICKHOUSE_URL", "CLICKHOUSE_URL_FILE"];
  const configured = variables.map((name) => `SALESFLOW_${name}`).filter((name) => Deno.env.get(name));
  if (configured.length === 0) return;
  logger("up").warn(
    `other commands use the servers of ${configured.join(" and ")}, not the embedded ones that run here`,
  );
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
    warnOfConfiguredServers();
    const signal = stopSignal();
    const databases = await openDatabases(
      values.home,
      { postgres: true, clickhouse: true },
      { postgresUrl: undefined, clickhouseUrl: undefined },
      signal,
      shouldDrawProgress(values),
    );
    console.log(formatConnections(databases, values.home));
    console.log("Press Ctrl-C to stop both.");
    await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
    await databases.close();
    if (!(signal.reason instanceof SalesflowError)) throw signal.reason;
  },
});
export default command;
