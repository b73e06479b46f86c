/** Logging to stderr with LogTape, as text or as JSON lines. */
import {
  configure,
  configureSync,
  getJsonLinesFormatter,
  getLogger,
  getTextFormatter,
  type Logger,
  type LogRecord,
} from "@logtape/logtape";
import { hasColour, paint, type Style } from "./color.ts";

/** `text` or `json`. */
export type LogFormat = "text" | "json";

/** Returns the logger of a part of the program, such as `logger("clean")`. */
export function logger(part: string): Logger {
  return getLogger(["salesflow", part]);
}

let format: LogFormat | undefined;

/** Returns the log format of this process; undefined before {@linkcode setUpLogging}. */
export function logFormat(): LogFormat | undefined {
  return format;
}

/** Escapes braces, which LogTape otherwise parses as placeholders of a message. */
export function escapePlaceholders(text: string): string {
  return text.replaceAll("{", "{{").replaceAll("}", "}}");
}

/** Formats a number of attempts: `1 attempt left`, `2 attempts left`. */
export function formatAttemptsLeft(count: number): string {
  return `${count} ${count === 1 ? "attempt" : "attempts"} left`;
}

/** Styles of the levels that text logs name; information is not named. */
const LEVEL_STYLES: Partial<Record<string, Style>> = { warning: "yellow", error: "red", fatal: "red" };

let beforeLog: () => void = () => {};

/** Sets the function that runs before each log line is written, so that a progress bar can be cleared. */
export function onBeforeLog(callback: () => void): void {
  beforeLog = callback;
}

/**
 * Sets up logging for the whole process. Call once.
 *
 * @param chosen `text` or `json`
 * @param quiet log only warnings and errors
 */
export async function setUpLogging(chosen: LogFormat, quiet: boolean): Promise<void> {
  format = chosen;
  const encoder = new TextEncoder();
  const colour = hasColour(Deno.stderr, { format: chosen });
  const formatRecord = chosen === "json"
    ? getJsonLinesFormatter({ properties: "flatten", categorySeparator: "." })
    : getTextFormatter({
      timestamp: "time",
      level: "full",
      format({ timestamp, category, message, level }) {
        const style = LEVEL_STYLES[level];
        const part = paint("cyan", category.replace("salesflow·", ""), colour);
        // UTC like the records of the stages, so that both can be compared.
        return `${timestamp?.slice(0, 8)} UTC ${
          style ? `${paint(style, level, colour)} ` : ""
        }${part}: ${message}`;
      },
    });
  await configure({
    reset: true,
    sinks: {
      stderr(record: LogRecord) {
        beforeLog();
        Deno.stderr.writeSync(encoder.encode(formatRecord(record)));
      },
    },
    loggers: [
      { category: "salesflow", lowestLevel: quiet ? "warning" : "info", sinks: ["stderr"] },
      { category: ["logtape", "meta"], lowestLevel: "error", sinks: ["stderr"] },
    ],
  });
}

/** A warning from a worker thread, to be logged by the main thread. */
export interface Warning {
  /** Part of the program, see {@linkcode logger}. */
  part: string;
  /** The formatted message. */
  text: string;
}

/** Sets up logging in a worker thread: passes warnings and errors to `send` instead of stderr. */
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

/** Logs a warning that {@linkcode relayWarnings} passed on. */
export function writeWarning({ part, text }: Warning): void {
  logger(part).warn(escapePlaceholders(text));
}
