/** Progress of a stage: a progress bar on a terminal, otherwise a log line every 10 seconds. */
import process from "node:process";
import cliProgress from "cli-progress";
import { logger, onBeforeLog } from "./log.ts";

const LOG_INTERVAL_MS = 10_000;

/** Displays the progress of a stage. */
export interface Progress {
  /** Reports rows done so far out of `total` (undefined when unknown). */
  update(rows: number, total?: number): void;
  /** Removes the bar. */
  stop(): void;
}

function createBar(stage: string, unit: string): Progress {
  const started = performance.now();
  let rows = 0;
  let drawn = false;
  const name = stage.padEnd(10);
  const counts = `{done} ${unit} | {rate} ${unit}/s`;
  const options = { stream: process.stderr, hideCursor: true, clearOnComplete: true, fps: 10, etaBuffer: 50 };
  const bar = new cliProgress.SingleBar({
    ...options,
    // Without a total, show the counts only.
    format: (barOptions: object, params: object, payload: { known: boolean }) =>
      cliProgress.Format.Formatter(
        {
          ...barOptions,
          format: payload.known
            ? `${name} {bar} {percentage}% | ${counts} | {eta_formatted} left`
            : `${name} ${counts}`,
        },
        params,
        payload,
      ),
  }, cliProgress.Presets.shades_classic);
  const clear = () => {
    if (drawn) bar.stop();
    drawn = false;
  };
  onBeforeLog(clear);
  return {
    update(now, total) {
      rows = now;
      const seconds = Math.max(0.001, (performance.now() - started) / 1000);
      const payload = {
        done: rows.toLocaleString("en"),
        rate: Math.round(rows / seconds).toLocaleString("en"),
        known: total !== undefined,
      };
      if (!drawn) bar.start(total ?? rows, rows, payload);
      drawn = true;
      if (total !== undefined) bar.setTotal(total);
      bar.update(rows, payload);
    },
    stop() {
      clear();
      onBeforeLog(() => {});
    },
  };
}

function createLogLines(stage: string, unit: string): Progress {
  let last = performance.now();
  return {
    update(rows, total) {
      if (performance.now() - last < LOG_INTERVAL_MS) return;
      last = performance.now();
      logger(stage).info(`{done} ${unit} so far`, {
        done: rows,
        ...(total === undefined ? {} : { total }),
      });
    },
    stop() {},
  };
}

/**
 * Starts displaying the progress of a stage.
 *
 * @param draw draw a bar on stderr instead of logging lines
 */
export function startProgress(stage: string, draw: boolean, unit = "rows"): Progress {
  return draw ? createBar(stage, unit) : createLogLines(stage, unit);
}
