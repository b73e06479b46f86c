/** Progress of a stage or a download: a progress bar on a terminal, otherwise a log line every 10 seconds. */
import process from "node:process";
import cliProgress from "cli-progress";
import { escapePlaceholders, logger, onBeforeLog } from "./log.ts";

const LOG_INTERVAL_MS = 10_000;
/** Earlier, a rate says too little about the time left. */
const MIN_SECONDS = 1;
const MAX_BAR = 40;
/** A shorter bar shows nothing that the percentage does not. */
const MIN_BAR = 5;
/** Room for the usual time left, so that the bar does not change its length when the time appears. */
const TIME_LEFT_ROOM = " | 59 s left".length;

/** Displays the progress of a stage. */
export interface Progress {
  /** Reports rows (or bytes) done so far out of `total` (undefined when unknown). */
  update(done: number, total?: number): void;
  /** Removes the bar. */
  stop(): void;
}

/** What is counted, and how it is named. */
export interface ProgressOptions {
  /** `bytes` are shown in MB. @default {"rows"} */
  unit?: "rows" | "bytes";
  /** What is shown instead of the stage's name, such as `PostgreSQL 18`. */
  title?: string;
}

/** The numbers of a progress bar. */
export interface BarState {
  /** Name on the left. */
  title: string;
  /** What is counted. */
  unit: "rows" | "bytes";
  /** Done so far. */
  done: number;
  /** Undefined when unknown. */
  total?: number | undefined;
  /** Already done when the clock started, as by an interrupted download. */
  before?: number;
  /** Seconds since then. */
  seconds: number;
}

/** Formats a count as `1,020,000`. */
function formatNumber(value: number): string {
  return Math.round(value).toLocaleString("en");
}

/** Formats what is done: `1,020,000 rows`, `12 of 34 MB`. */
function formatDone({ done, total, unit }: Pick<BarState, "done" | "total" | "unit">): string {
  // As wide as the total, so that the line does not change its length.
  const width = formatNumber(total ?? 0).length;
  if (unit === "rows") return `${formatNumber(done).padStart(width)} rows`;
  const megabytes = formatNumber(done / 1e6);
  return total === undefined ? `${megabytes} MB` : `${megabytes} of ${formatNumber(total / 1e6)} MB`;
}

function formatRate(perSecond: number, unit: BarState["unit"]): string {
  return unit === "rows" ? `${formatNumber(perSecond)} rows/s` : `${(perSecond / 1e6).toFixed(1)} MB/s`;
}

/** Formats seconds as `5 s`, `1 min 20 s` or `2 h 05 min`. */
function formatTimeLeft(seconds: number): string {
  const whole = Math.ceil(seconds);
  if (whole < 60) return `${whole} s`;
  const twoDigits = (value: number) => String(Math.floor(value)).padStart(2, "0");
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${twoDigits(whole % 60)} s`;
  return `${Math.floor(whole / 3600)} h ${twoDigits((whole % 3600) / 60)} min`;
}

/** Returns the line of a progress bar for a terminal with the given number of columns. */
export function formatBar(state: BarState, columns: number): string {
  const { title, unit, done, total, before = 0, seconds } = state;
  const rate = (done - before) / Math.max(0.001, seconds);
  const counts = rate > 0 ? `${formatDone(state)} | ${formatRate(rate, unit)}` : formatDone(state);
  const name = title.padEnd(10);
  if (total === undefined) return `${name} ${counts}`;
  const isTimeKnown = seconds >= MIN_SECONDS && rate > 0 && done < total;
  const timeLeft = isTimeKnown ? ` | ${formatTimeLeft((total - done) / rate)} left` : "";
  const progress = total > 0 ? Math.min(1, done / total) : 1;
  const text = ` ${String(Math.floor(progress * 100)).padStart(3)}% | ${counts}`;
  // A line that fills the last column wraps on some terminals.
  const room = columns - 1 - name.length - 1 - text.length - Math.max(TIME_LEFT_ROOM, timeLeft.length);
  if (room < MIN_BAR) return `${name}${text}${timeLeft}`;
  const size = Math.min(MAX_BAR, room);
  const full = Math.round(progress * size);
  return `${name} ${"█".repeat(full)}${"░".repeat(size - full)}${text}${timeLeft}`;
}

function createBar(title: string, unit: BarState["unit"]): Progress {
  const started = performance.now();
  let state: BarState | undefined;
  let drawn = false;
  // The library redraws at most 10 times a second, hides the cursor and clears the line.
  const bar = new cliProgress.SingleBar({
    stream: process.stderr,
    hideCursor: true,
    clearOnComplete: true,
    fps: 10,
    format: () => formatBar(state!, process.stderr.columns || 80),
  }, cliProgress.Presets.shades_classic);
  const clear = () => {
    if (drawn) bar.stop();
    drawn = false;
  };
  onBeforeLog(clear);
  return {
    update(done, total) {
      // The first report of a download is what an interrupted one has left behind.
      const before = state?.before ?? (unit === "bytes" ? done : 0);
      state = { title, unit, done, total, before, seconds: (performance.now() - started) / 1000 };
      if (!drawn) bar.start(total ?? done, done);
      drawn = true;
      if (total !== undefined) bar.setTotal(total);
      bar.update(done);
    },
    stop() {
      clear();
      onBeforeLog(() => {});
    },
  };
}

function createLogLines(stage: string, { unit = "rows", title }: ProgressOptions): Progress {
  let last = performance.now();
  return {
    update(done, total) {
      if (performance.now() - last < LOG_INTERVAL_MS) return;
      last = performance.now();
      const text = `${title === undefined ? "" : `${title}: `}${formatDone({ done, unit, total }).trim()}`;
      logger(stage).info(escapePlaceholders(unit === "rows" ? `${text} so far` : text), {
        done,
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
export function startProgress(stage: string, draw: boolean, options: ProgressOptions = {}): Progress {
  return draw ? createBar(options.title ?? stage, options.unit ?? "rows") : createLogLines(stage, options);
}
