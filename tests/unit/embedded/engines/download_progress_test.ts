import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { DownloadProgress } from "../../../../lib/embedded/engines/download_progress.ts";
import { captureLog } from "../../console/captured_log.ts";

describe("DownloadProgress", () => {
  it("logs the engine's name and MB", async () => {
    const { now } = performance;
    let offsetMs = 0;
    performance.now = () => now.call(performance) + offsetMs;
    try {
      const records = await captureLog(() => {
        const progress = new DownloadProgress(false);
        const postgres = { engine: "postgres", totalBytes: 34_100_000 } as const;
        const clickhouse = { engine: "clickhouse", totalBytes: 0 } as const;
        progress.update({ ...postgres, step: "download", doneBytes: 0 });
        offsetMs += 10_001;
        progress.update({ ...postgres, step: "download", doneBytes: 12_300_000 });
        progress.update({ ...postgres, step: "unpack", doneBytes: 0 });
        progress.update({ ...postgres, step: "unpack", doneBytes: 34_100_000 });
        progress.update({ ...clickhouse, step: "download", doneBytes: 0 });
        offsetMs += 10_001;
        progress.update({ ...clickhouse, step: "download", doneBytes: 7_000_000 });
        progress.stop();
      });
      assertEquals(records.map(({ logger, message, done, total }) => [logger, message, done, total]), [
        ["salesflow.engines", "PostgreSQL 18: 12 of 34 MB", 12_300_000, 34_100_000],
        ["salesflow.engines", "PostgreSQL 18: downloaded, unpacking", undefined, undefined],
        ["salesflow.engines", "ClickHouse 26.7: 7 MB", 7_000_000, undefined],
      ]);
    } finally {
      performance.now = now;
    }
  });
});
