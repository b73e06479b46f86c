/** Alerts: a failed `salesflow run` is posted to a webhook, as the DAG does with failed stages. */
import { exitCodeOf, messageChain, SalesflowError, UsageError } from "../lib/console/errors.ts";
import type { Environment } from "../lib/connection/database_urls.ts";
import { logger } from "../lib/console/log.ts";
import { StoppedError } from "./stop_signal.ts";

/** As in the DAG. */
const TIMEOUT_MS = 10_000;

/**
 * Reads the webhook's URL from `SALESFLOW_ALERT_URL`; undefined when it is not set.
 *
 * @throws {UsageError} when it is not an http URL; does not quote it, because it may contain a token
 */
export function readAlertUrl(environment: Environment = (name) => Deno.env.get(name)): URL | undefined {
  const text = environment("SALESFLOW_ALERT_URL")?.trim();
  if (!text) return undefined;
  const url = URL.parse(text);
  if (url?.protocol === "https:" || url?.protocol === "http:") return url;
  throw new UsageError(["Cannot use SALESFLOW_ALERT_URL: it must be a URL that begins with https://"]);
}

/** Describes a failed run for a person who is elsewhere. */
export function formatAlert(error: unknown, run: { run_id: string | null; folder: string | null }): string {
  const { stage, remedy } = error instanceof SalesflowError ? error : {};
  const subject = run.run_id === null ? "A run of salesflow" : `Run ${run.run_id} of salesflow`;
  const outcome = exitCodeOf(error) === 75 ? "failed for now (exit code 75: it may be repeated)" : "failed";
  const where = stage ? ` at ${stage}` : "";
  const message = messageChain(error).join(": ").replace(/\.$/, "");
  return [
    `${subject} ${outcome}${where}: ${message}.`,
    ...(remedy ? [remedy] : []),
    ...(run.folder === null ? [] : [`Folder: ${run.folder}`]),
  ].join(" ");
}

/** Reports whether somebody needs to know of a failure: not when a person at the terminal has stopped the command. */
export function isWorthAnAlert(error: unknown): boolean {
  return !(error instanceof StoppedError && error.signal === "SIGINT");
}

/** Posts `{"text": …}` to the webhook. A failed delivery is only logged, without the URL. */
export async function sendAlert(url: URL, text: string, timeoutMs: number = TIMEOUT_MS): Promise<void> {
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ text }),
      signal: AbortSignal.timeout(timeoutMs),
    });
    await response.body?.cancel();
    if (response.ok) logger("alert").info(`delivered the alert (HTTP ${response.status})`);
    else logger("alert").warn(`cannot deliver the alert: HTTP ${response.status}`);
  } catch (error) {
    const why = error instanceof DOMException && error.name === "TimeoutError"
      ? `no answer within ${timeoutMs / 1000} s`
      : "the server of SALESFLOW_ALERT_URL cannot be reached";
    logger("alert").warn(`cannot deliver the alert: ${why}`);
  }
}
