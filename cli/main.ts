/** The salesflow command. The only place that ends the process. */
import deno from "../deno.json" with { type: "json" };
import { exitCodeOf, messageChain, SalesflowError, UsageError } from "../lib/console/errors.ts";
import { literal, type LogFormat, logFormat, logger, setUpLogging } from "../lib/console/log.ts";
import { maskUrl } from "../lib/connection/mask_url.ts";
import { type Command, commandHelp, didYouMean, parseCommandLine } from "./command.ts";

/** Commands by name; each is loaded when it is called. */
const COMMANDS: Record<string, { summary: string; load: () => Promise<{ default: Command }> }> = {
  run: {
    summary: "Run all stages, or go on where the last run stopped",
    load: () => load(import("./commands/run.ts")),
  },
  migrate: { summary: "Create or update the tables", load: () => load(import("./commands/migrate.ts")) },
  generate: {
    summary: "Make a year of plausible raw sales",
    load: () => load(import("./commands/generate.ts")),
  },
  ingest: {
    summary: "Take the shop's own CSV export instead",
    load: () => load(import("./commands/ingest.ts")),
  },
  clean: {
    summary: "Convert, validate and deduplicate raw sales",
    load: () => load(import("./commands/clean.ts")),
  },
  load: { summary: "Publish clean sales in PostgreSQL", load: () => load(import("./commands/load.ts")) },
  aggregate: {
    summary: "Aggregate sales by region and product",
    load: () => load(import("./commands/aggregate.ts")),
  },
  transfer: {
    summary: "Move the aggregates to ClickHouse",
    load: () => load(import("./commands/transfer.ts")),
  },
  verify: {
    summary: "Recount everything across the boundaries",
    load: () => load(import("./commands/verify.ts")),
  },
  report: { summary: "Write the HTML report", load: () => load(import("./commands/report.ts")) },
  status: { summary: "Show runs and their stages", load: () => load(import("./commands/status.ts")) },
  doctor: {
    summary: "Check configuration, connections and disk",
    load: () => load(import("./commands/doctor.ts")),
  },
  up: { summary: "Keep the embedded databases running", load: () => load(import("./commands/up.ts")) },
  sql: { summary: "Ask PostgreSQL or ClickHouse", load: () => load(import("./commands/sql.ts")) },
};

// deno-lint-ignore no-explicit-any -- commands differ in the types of their options
async function load(module: Promise<{ default: Command<any> }>): Promise<{ default: Command }> {
  return await module;
}

function help(): string {
  const width = Math.max(...Object.keys(COMMANDS).map((name) => name.length));
  return [
    "salesflow: a weekly sales pipeline, from raw file to verified aggregates",
    "",
    "Usage: salesflow COMMAND [options]",
    "",
    "Commands:",
    ...Object.entries(COMMANDS).map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`),
    "",
    "salesflow COMMAND --help tells about a command; --version tells the version.",
    "Databases: embedded ones, or those of SALESFLOW_POSTGRES_URL and SALESFLOW_CLICKHOUSE_URL.",
    "Exit codes: 0 done, 1 failed for good, 2 wrong usage or configuration, 75 failed for now (try again).",
    "",
  ].join("\n");
}

async function main([name, ...args]: string[]): Promise<void> {
  if (name === undefined || name === "--help" || name === "-h" || name === "help") {
    console.log(help());
    return;
  }
  if (name === "--version" || name === "-V") {
    console.log(`salesflow ${deno.version}`);
    return;
  }
  if (name === "embedded-host") {
    const { runEmbeddedHost } = await import("../lib/embedded/host/host.ts");
    await runEmbeddedHost(args);
    return;
  }
  const found = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (!found) {
    throw new UsageError(
      [`There is no command ${maskUrl(name)}.${didYouMean(name, Object.keys(COMMANDS))}`],
      "See: salesflow --help",
    );
  }
  const { default: command } = await found.load();
  const options = args.slice(0, args.includes("--") ? args.indexOf("--") : args.length);
  if (options.includes("--help") || options.includes("-h")) {
    console.log(commandHelp(command));
    return;
  }
  const { values, positionals } = parseCommandLine(command, args);
  await command.run(values, positionals);
}

/** Tells a person what went wrong. */
function explain(error: unknown): void {
  const [first, ...causes] = messageChain(error);
  if (error instanceof UsageError) {
    for (const mistake of error.mistakes) {
      console.error(`error: ${mistake}`);
    }
  } else {
    const place = error instanceof SalesflowError && error.stage ? `${error.stage}: ` : "";
    console.error(`error: ${place}${first}`);
    for (const cause of causes) console.error(`  because: ${cause}`);
  }
  if (error instanceof SalesflowError) {
    if (error.remedy) console.error(`  ${error.remedy}`);
  } else if (error instanceof Error && Deno.env.get("SALESFLOW_DEBUG")) {
    console.error(error.stack);
  }
}

/** Tells a machine what went wrong: one JSON line like the log's. */
async function record(error: unknown): Promise<void> {
  const [message = "", ...causes] = messageChain(error);
  const { stage, runId, remedy, evidence } = error instanceof SalesflowError ? error : {};
  await setUpLogging("json", false);
  // Evidence is what the other lines of the message say.
  logger(stage ?? "command").error(literal(evidence ? message.split("\n")[0]! : message), {
    ...(error instanceof UsageError ? { mistakes: error.mistakes } : {}),
    ...(runId ? { run_id: runId } : {}),
    causes,
    ...evidence,
    remedy: remedy ?? null,
    exit_code: exitCodeOf(error),
  });
}

/** How an error is told before any command has said how it logs. */
function formatOf(args: readonly string[]): LogFormat {
  const at = args.findIndex((arg) => /^--log-format(=|$)/.test(arg));
  const flag = args[at]?.split("=")[1] ?? args[at + 1];
  const asked = at < 0 ? Deno.env.get("SALESFLOW_LOG_FORMAT") : flag;
  return asked === "text" || asked === "json" ? asked : Deno.stderr.isTerminal() ? "text" : "json";
}

try {
  await main(Deno.args);
  Deno.exit(0);
} catch (error) {
  if ((logFormat() ?? formatOf(Deno.args)) === "json") await record(error);
  else explain(error);
  Deno.exit(exitCodeOf(error));
}
