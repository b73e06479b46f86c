/** Entry point of the salesflow command: dispatches to the commands, reports errors and sets the exit code. */
import deno from "../deno.json" with { type: "json" };
import { exitCodeOf, messageChain, SalesflowError, UsageError } from "../lib/console/errors.ts";
import { hasColour, paint } from "../lib/console/color.ts";
import { didYouMean } from "../lib/console/did_you_mean.ts";
import { asTyped } from "../lib/console/invocation.ts";
import { escapePlaceholders, type LogFormat, logFormat, logger, setUpLogging } from "../lib/console/log.ts";
import { maskUrl } from "../lib/connection/mask_url.ts";
import { type AnyCommand, commandHelp, parseCommandLine } from "./command.ts";
import { loadSettingsFiles, nameOrigins } from "./settings_files.ts";

/** Commands by name. Modules are loaded on demand, to start fast. */
const COMMANDS: Record<string, { summary: string; load: () => Promise<{ default: AnyCommand }> }> = {
  run: {
    summary: "Run all stages, or resume where the last attempt stopped",
    load: () => import("./commands/run.ts"),
  },
  migrate: { summary: "Create or update the tables", load: () => import("./commands/migrate.ts") },
  generate: {
    summary: "Generate a year of realistic raw sales",
    load: () => import("./commands/generate.ts"),
  },
  ingest: {
    summary: "Import a shop's exports instead of generated sales",
    load: () => import("./commands/ingest.ts"),
  },
  source: {
    summary: "Try out source files, and find the ids of exports: preview, id",
    load: () => import("./commands/source.ts"),
  },
  clean: {
    summary: "Convert, validate and deduplicate raw sales",
    load: () => import("./commands/clean.ts"),
  },
  load: { summary: "Publish clean sales in PostgreSQL", load: () => import("./commands/load.ts") },
  aggregate: {
    summary: "Aggregate sales by region and product",
    load: () => import("./commands/aggregate.ts"),
  },
  transfer: {
    summary: "Copy the aggregates to ClickHouse",
    load: () => import("./commands/transfer.ts"),
  },
  verify: {
    summary: "Compare files, PostgreSQL and ClickHouse",
    load: () => import("./commands/verify.ts"),
  },
  report: { summary: "Write the HTML report", load: () => import("./commands/report.ts") },
  history: { summary: "Show all imports in ClickHouse", load: () => import("./commands/history.ts") },
  compare: { summary: "Compare two imports", load: () => import("./commands/compare.ts") },
  status: { summary: "Show runs and their stages", load: () => import("./commands/status.ts") },
  doctor: {
    summary: "Check configuration, connections and disk",
    load: () => import("./commands/doctor.ts"),
  },
  prune: {
    summary: "Remove old runs, their records and what interrupted stages left",
    load: () => import("./commands/prune.ts"),
  },
  config: {
    summary: "Show every setting, its value and where it comes from",
    load: () => import("./commands/config.ts"),
  },
  up: { summary: "Keep the embedded databases running", load: () => import("./commands/up.ts") },
  sql: { summary: "Query PostgreSQL or ClickHouse", load: () => import("./commands/sql.ts") },
  completions: {
    summary: "Print what lets a shell complete commands, options and files",
    load: () => import("./commands/completions.ts"),
  },
};

async function loadCommands(): Promise<AnyCommand[]> {
  return await Promise.all(Object.values(COMMANDS).map(async ({ load }) => (await load()).default));
}

/** Returns the text of `salesflow --help`. */
function formatHelp(): string {
  const width = Math.max(...Object.keys(COMMANDS).map((name) => name.length));
  return [
    "salesflow: a weekly sales pipeline, from raw file to verified aggregates",
    "",
    "Usage: salesflow COMMAND [options]",
    "",
    "Commands:",
    ...Object.entries(COMMANDS).map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`),
    "",
    "Use salesflow COMMAND --help for the options of a command, salesflow --version for the version.",
    "Databases: those in SALESFLOW_POSTGRES_URL and SALESFLOW_CLICKHOUSE_URL, otherwise embedded ones.",
    "Exit codes: 0 success, 1 permanent failure, 2 invalid usage or configuration, 75 temporary failure (retry).",
    "",
  ].join("\n");
}

async function main(line: string[]): Promise<void> {
  // `help run` is `run --help`.
  const isHelpOf = line[0] === "help" && line.length === 2 && !line[1]!.startsWith("-");
  const [name, ...args] = isHelpOf ? [line[1]!, "--help"] : line;
  if (name === undefined || name === "--help" || name === "-h" || name === "help") {
    console.log(asTyped(formatHelp()));
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
      [`Unknown command ${maskUrl(name)}.${didYouMean(name, Object.keys(COMMANDS))}`],
      "See: salesflow --help",
    );
  }
  const options = args.slice(0, args.includes("--") ? args.indexOf("--") : args.length);
  const wantsHelp = options.includes("--help") || options.includes("-h");
  // Before anything that reads the environment is loaded.
  if (!wantsHelp) await loadSettingsFiles();
  const { default: command } = await found.load();
  if (wantsHelp) {
    console.log(asTyped(commandHelp(command)));
    return;
  }
  const { values, positionals } = parseWithOrigins(command, args);
  await command.run(values, positionals, { loadCommands });
}

/** Parses the command line; mistakes in settings from files name the file. */
function parseWithOrigins(command: AnyCommand, args: string[]): ReturnType<typeof parseCommandLine> {
  try {
    return parseCommandLine(command, args);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new UsageError(nameOrigins(error.mistakes), error.remedy);
  }
}

/** Prints an error as text. */
function printError(error: unknown): void {
  const [first, ...causes] = messageChain(error);
  const label = paint("red", "error:", hasColour(Deno.stderr));
  if (error instanceof UsageError) {
    for (const mistake of error.mistakes) {
      console.error(`${label} ${mistake}`);
    }
  } else {
    const prefix = error instanceof SalesflowError && error.stage ? `${error.stage}: ` : "";
    console.error(`${label} ${prefix}${first}`);
    for (const cause of causes) console.error(`  because: ${cause}`);
  }
  if (error instanceof SalesflowError) {
    if (error.remedy) console.error(`  ${asTyped(error.remedy)}`);
  } else if (error instanceof Error && Deno.env.get("SALESFLOW_DEBUG")) {
    console.error(error.stack);
  }
}

/** Logs an error as one JSON line. */
async function logError(error: unknown): Promise<void> {
  const [message = "", ...causes] = messageChain(error);
  const { stage, runId, remedy, evidence } = error instanceof SalesflowError ? error : {};
  await setUpLogging("json", false);
  // The further lines of the message repeat the evidence.
  logger(stage ?? "command").error(escapePlaceholders(evidence ? message.split("\n")[0]! : message), {
    ...(error instanceof UsageError ? { mistakes: error.mistakes } : {}),
    ...(runId ? { run_id: runId } : {}),
    causes,
    ...evidence,
    remedy: remedy === undefined ? null : asTyped(remedy),
    exit_code: exitCodeOf(error),
  });
}

/** Returns the log format for errors that occur before a command has set up logging. */
function requestedLogFormat(args: readonly string[]): LogFormat {
  const index = args.findIndex((arg) => /^--log-format(=|$)/.test(arg));
  const flag = args[index]?.split("=")[1] ?? args[index + 1];
  const requested = index < 0 ? Deno.env.get("SALESFLOW_LOG_FORMAT") : flag;
  return requested === "text" || requested === "json"
    ? requested
    : Deno.stderr.isTerminal()
    ? "text"
    : "json";
}

try {
  await main(Deno.args);
  Deno.exit(0);
} catch (error) {
  if ((logFormat() ?? requestedLogFormat(Deno.args)) === "json") await logError(error);
  else printError(error);
  Deno.exit(exitCodeOf(error));
}
