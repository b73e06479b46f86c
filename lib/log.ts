/** Logging on standard error, by LogTape: text for people, JSON lines for machines. */
import {
  configure,
  configureSync,
  getJsonLinesFormatter,
  getLogger,
  getTextFormatter,
  type Logger,
  type LogRecord,
} from "@logtape/logtape";

/** `text` or `json`. */
export type LogFormat = "text" | "json";

/** The logger of one part of the program, such as `logger("clean")`. */
export function logger(part: string): Logger {
  return getLogger(["salesflow", part]);
}

/** Called before each log line, so that a progress bar can make room. */
let beforeLine: () => void = () => {};

/** Sets what runs before each log line is written. */
export function onLogLine(make: () => void): void {
  beforeLine = make;
}

/**
 * Sets up logging for the whole process; call once.
 *
 * @param format `text` or `json`
 * @param quiet only warnings and errors
 */
export async function setUpLogging(format: LogFormat, quiet: boolean): Promise<void> {
  const encoder = new TextEncoder();
  const line = format === "json"
    ? getJsonLinesFormatter({ properties: "flatten", categorySeparator: "." })
    : getTextFormatter({
      timestamp: "time",
      level: "full",
      format: ({ timestamp, category, message, level }) =>
        `${timestamp?.slice(0, 8)} ${level === "info" ? "" : level + " "}${
          category.replace("salesflow·", "")
        }: ${message}`,
    });
  await configure({
    reset: true,
    sinks: {
      stderr(record: LogRecord) {
        beforeLine();
        Deno.stderr.writeSync(encoder.encode(line(record)));
      },
    },
    loggers: [
      { category: "salesflow", lowestLevel: quiet ? "warning" : "info", sinks: ["stderr"] },
      { category: ["logtape", "meta"], lowestLevel: "error", sinks: ["stderr"] },
    ],
  });
}

/** A warning of a thread, for the main thread to write. */
export interface Warning {
  part: string;
  text: string;
}

/** Sets up logging for a thread that has no standard error of its own: warnings and errors are handed on. */
export function relayWarnings(send: (warning: Warning) => void): void {
  configureSync({
    reset: true,
    sinks: { relay: ({ category, message }) => send({ part: category.at(-1)!, text: message.join("") }) },
    loggers: [
      { category: "salesflow", lowestLevel: "warning", sinks: ["relay"] },
      { category: ["logtape", "meta"], lowestLevel: "error", sinks: ["relay"] },
    ],
  });
}

/** Writes what {@linkcode relayWarnings} sent. */
export function writeWarning({ part, text }: Warning): void {
  // A brace would begin a placeholder.
  logger(part).warn(text.replaceAll("{", "{{").replaceAll("}", "}}"));
}
