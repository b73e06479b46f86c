/** Captures what is logged. */
import { setUpLogging } from "../../../lib/console/log.ts";

/** A log record in JSON; its properties are on the top level. */
export interface LogRecord {
  level: string;
  message: string;
  logger: string;
  [property: string]: unknown;
}

/** Returns what is logged while `work` runs. */
export async function captureLog(work: () => unknown, quiet = false): Promise<LogRecord[]> {
  const { writeSync } = Deno.stderr;
  const lines: string[] = [];
  await setUpLogging("json", quiet);
  Deno.stderr.writeSync = (bytes) => {
    lines.push(new TextDecoder().decode(bytes));
    return bytes.length;
  };
  try {
    await work();
  } finally {
    Deno.stderr.writeSync = writeSync;
  }
  return lines.map((line) => JSON.parse(line));
}
