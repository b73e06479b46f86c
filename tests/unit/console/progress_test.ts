import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { startProgress } from "../../../lib/console/progress.ts";
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
      const progress = startProgress("engines", false, "bytes");
      advance(10_001);
      progress.update(177_817_999);
      advance(10_001);
      progress.update(177_818_000, 200_000_000);
      progress.stop();
    });
    assertEquals(records.map(({ logger, message, total }) => [logger, message, total]), [
      ["salesflow.engines", "177817999 bytes so far", undefined],
      ["salesflow.engines", "177818000 bytes so far", 200_000_000],
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
