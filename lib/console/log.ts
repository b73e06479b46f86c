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

let format: LogFormat | undefined;

/** How this process logs; undefined before {@linkcode setUpLogging}. */
export function logFormat(): LogFormat | undefined {
  return format;
}

/** Text that is to stand in a message as it is: a brace would begin a placeholder. */
export function literal(text: string): string {
  return text.replaceAll("{", "{{").replaceAll("}", "}}");
}

/** `1 try left`, `2 tries left`. */
export function triesLeft(count: number): string {
  return `${count} ${count === 1 ? "try" : "tries"} left`;
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
 * @param chosen `text` or `json`
 * @param quiet only warnings and errors
 */
export async function setUpLogging(chosen: LogFormat, quiet: boolean): Promise<void> {
  format = chosen;
  const encoder = new TextEncoder();
  const line = chosen === "json"
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
  logger(part).warn(literal(text));
}
