import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { type BarState, formatBar, startProgress } from "../../../lib/console/progress.ts";
import { captureLog, type LogRecord } from "./captured_log.ts";

/** Returns what is logged while `work` runs, which can advance the clock. */
async function captureOverTime(work: (advance: (ms: number) => void) => void): Promise<LogRecord[]> {
  const { now } = performance;
  let offsetMs = 0;
  performance.now = () => now.call(performance) + offsetMs;
  try {
    return await captureLog(() => work((ms) => offsetMs += ms));
  } finally {
    performance.now = now;
  }
}

describe("startProgress()", () => {
  it("logs the count with its unit, and the total as a property when it is known", async () => {
    const records = await captureOverTime((advance) => {
      const progress = startProgress("engines", false, { unit: "bytes", title: "ClickHouse 26.7" });
      advance(10_001);
      progress.update(177_417_999);
      advance(10_001);
      progress.update(177_818_000, 200_000_000);
      progress.stop();
    });
    assertEquals(records.map(({ logger, message, total }) => [logger, message, total]), [
      ["salesflow.engines", "ClickHouse 26.7: 177 MB", undefined],
      ["salesflow.engines", "ClickHouse 26.7: 178 of 200 MB", 200_000_000],
    ]);
  });

  it("logs nothing within 10 seconds of the start or of the last line", async () => {
    const records = await captureOverTime((advance) => {
      const progress = startProgress("clean", false);
      progress.update(1);
      advance(9_000);
      progress.update(2);
      advance(1_001);
      progress.update(3);
      advance(9_000);
      progress.update(4);
    });
    assertEquals(records.map(({ message }) => message), ["3 rows so far"]);
  });
});

describe("formatBar()", () => {
  const half: BarState = { title: "generate", unit: "rows", done: 500_000, total: 1_020_000, seconds: 2 };

  it("fits 80 columns with rate and time left, and is longer on a wider terminal", () => {
    const text = formatBar(half, 80).replace(/[█░]+/, "BAR");
    assertEquals(text, "generate   BAR  49% |   500,000 rows | 250,000 rows/s | 3 s left");
    for (const columns of [80, 100, 120]) {
      const line = formatBar(half, columns);
      assert(line.length < columns, `${columns}: ${line}`);
      assertMatch(line, /█{8,}░{8,}/);
    }
  });

  it("keeps rate and time left of very many rows at 80 columns", () => {
    const line = formatBar({ ...half, done: 999_999_999, total: 2_000_000_000, seconds: 300 }, 80);
    assert(line.length < 80, line);
    assertStringIncludes(line, "3,333,333 rows/s | 5 min 01 s left");
  });

  const unknown: [when: string, changes: Partial<BarState>][] = [
    ["nothing is done", { done: 0 }],
    ["a stage has just begun", { seconds: 0.2 }],
    ["no time has passed", { seconds: 0 }],
    ["everything is done", { done: 1_020_000 }],
    ["there is nothing to do", { done: 0, total: 0 }],
    ["an interrupted download has not gone on", { before: 500_000 }],
  ];
  for (const [when, changes] of unknown) {
    it(`leaves the time away when ${when}`, () => {
      const line = formatBar({ ...half, ...changes }, 80);
      assertMatch(line, /^generate {3}[█░]+ +\d+% \| +[\d,]+ rows( \| [1-9][\d,]* rows\/s)?$/);
    });
  }

  const times: [seconds: number, text: string][] = [
    [1, "1 s left"],
    [59, "59 s left"],
    [60, "1 min 00 s left"],
    [3_599, "59 min 59 s left"],
    [7_500, "2 h 05 min left"],
    [400_000, "111 h 06 min left"],
  ];
  for (const [seconds, text] of times) {
    it(`shows ${seconds} s as ${text}`, () => {
      const state = { ...half, done: 1_000, total: 1_000 * (seconds + 1), seconds: 1 };
      assert(formatBar(state, 120).endsWith(` | ${text}`));
    });
  }

  it("shows counts only when the total is unknown", () => {
    assertEquals(formatBar({ ...half, total: undefined }, 80), "generate   500,000 rows | 250,000 rows/s");
  });

  it("shows a download in MB, with the rate of what was not there before", () => {
    const state = { title: "PostgreSQL 18", unit: "bytes", before: 10e6, seconds: 2 } as const;
    assertMatch(
      formatBar({ ...state, done: 12e6, total: 34e6 }, 80),
      /^PostgreSQL 18 █+░+ {2}35% \| 12 of 34 MB \| 1\.0 MB\/s \| 22 s left$/,
    );
    assertEquals(formatBar({ ...state, done: 12e6 }, 80), "PostgreSQL 18 12 MB | 1.0 MB/s");
  });
});
