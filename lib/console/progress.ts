/** Progress of a stage: a bar on a terminal, a log line now and then elsewhere. */
import process from "node:process";
import cliProgress from "cli-progress";
import { logger, onLogLine } from "./log.ts";

const LOG_EVERY_MS = 10_000;

/** Shows how far a stage has come. */
export interface Progress {
  /** Rows done so far out of `total` (undefined when nobody knows). */
  update(rows: number, total?: number): void;
  /** Removes the bar. */
  stop(): void;
}

function bar(stage: string, unit: string): Progress {
  const started = performance.now();
  let rows = 0;
  let drawn = false;
  const name = stage.padEnd(10);
  const counts = `{done} ${unit} | {rate} ${unit}/s`;
  const options = { stream: process.stderr, hideCursor: true, clearOnComplete: true, fps: 10, etaBuffer: 50 };
  const single = new cliProgress.SingleBar({
    ...options,
    // Nobody can draw a share of an unknown whole.
    format: (bar: object, params: object, payload: { known: boolean }) =>
      cliProgress.Format.Formatter(
        {
          ...bar,
          format: payload.known
            ? `${name} {bar} {percentage}% | ${counts} | {eta_formatted} left`
            : `${name} ${counts}`,
        },
        params,
        payload,
      ),
  }, cliProgress.Presets.shades_classic);
  const clear = () => {
    if (drawn) single.stop();
    drawn = false;
  };
  onLogLine(clear);
  return {
    update(now, total) {
      rows = now;
      const seconds = Math.max(0.001, (performance.now() - started) / 1000);
      const payload = {
        done: rows.toLocaleString("en"),
        rate: Math.round(rows / seconds).toLocaleString("en"),
        known: total !== undefined,
      };
      if (!drawn) single.start(total ?? rows, rows, payload);
      drawn = true;
      if (total !== undefined) single.setTotal(total);
      single.update(rows, payload);
    },
    stop() {
      clear();
      onLogLine(() => {});
    },
  };
}

function lines(stage: string, unit: string): Progress {
  let last = performance.now();
  return {
    update(rows, total) {
      if (performance.now() - last < LOG_EVERY_MS) return;
      last = performance.now();
      logger(stage).info(`{done} ${unit} so far`, {
        done: rows,
        ...(total === undefined ? {} : { total }),
      });
    },
    stop() {},
  };
}

/** Starts showing the progress of a stage. @param draw whether a bar may be drawn */
export function startProgress(stage: string, draw: boolean, unit = "rows"): Progress {
  return draw ? bar(stage, unit) : lines(stage, unit);
}
