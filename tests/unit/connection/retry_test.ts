import { assert, assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { DEFAULT_LIMITS } from "../../../lib/connection/limits.ts";
import { type RetryOptions, withRetry } from "../../../lib/connection/retry.ts";
import { captureLog, type LogRecord } from "../console/captured_log.ts";

const LIMITS = { ...DEFAULT_LIMITS, retries: 2, minRetryDelayMs: 1, maxRetryDelayMs: 2 };

const options = (changes: Partial<RetryOptions> = {}): RetryOptions => ({
  limits: LIMITS,
  signal: new AbortController().signal,
  isTransient: ({ message }) => message.startsWith("transient"),
  log: "postgres",
  server: "db:5432/shop",
  ...changes,
});

/** Work that throws one error of the list in each attempt, then succeeds. */
function failing(...errors: Error[]): { work: () => Promise<string>; attempts: () => number } {
  let attempts = 0;
  const work = () => {
    const error = errors[attempts++];
    return error ? Promise.reject(error) : Promise.resolve("done");
  };
  return { work, attempts: () => attempts };
}

describe("withRetry()", () => {
  it("returns the result of the first attempt that succeeds, and logs each retry", async () => {
    const { work, attempts } = failing(new Error("transient 1"), new Error("transient 2"));
    let result: string | undefined;
    const records: LogRecord[] = await captureLog(async () => {
      result = await withRetry(work, options());
    });
    assertEquals([result, attempts()], ["done", 3]);
    assertEquals(records.map(({ logger, level }) => [logger, level]), [
      ["salesflow.postgres", "WARN"],
      ["salesflow.postgres", "WARN"],
    ]);
    assertEquals(records[1]!.message, "db:5432/shop: transient 2; retrying (1 attempt left)");
  });

  it("logs an error's text as it is when it holds braces", async () => {
    const { work } = failing(new Error('transient: relation {1} "{name}"'));
    const records = await captureLog(() => withRetry(work, options()));
    assertEquals(
      records[0]!.message,
      'db:5432/shop: transient: relation {1} "{name}"; retrying (2 attempts left)',
    );
  });

  it("throws the last error when no retries are left, without logging it", async () => {
    const errors = [1, 2, 3].map((number) => new Error(`transient ${number}`));
    const { work, attempts } = failing(...errors);
    const records = await captureLog(async () => {
      assertEquals(await assertRejects(() => withRetry(work, options())), errors[2]);
    });
    assertEquals([attempts(), records.length], [3, 2]);
  });

  it("does not retry permanent errors", async () => {
    const error = new Error("permanent");
    const { work, attempts } = failing(error);
    assertEquals(await assertRejects(() => withRetry(work, options())), error);
    assertEquals(attempts(), 1);
  });

  it("stops waiting with the signal's reason when it is aborted", async () => {
    const controller = new AbortController();
    const reason = new Error("stopped");
    const { work, attempts } = failing(new Error("transient"));
    const limits = { ...LIMITS, minRetryDelayMs: 60_000, maxRetryDelayMs: 60_000 };
    const log = captureLog(async () => {
      const running = withRetry(work, options({ signal: controller.signal, limits }));
      setTimeout(() => controller.abort(reason), 5);
      assertEquals(await assertRejects(() => running), reason);
    });
    assert((await log).length <= 1);
    assertEquals(attempts(), 1);
  });
});
