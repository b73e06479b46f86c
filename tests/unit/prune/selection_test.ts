import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { type KnownRun, selectDates, selectRuns } from "../../../lib/prune/selection.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
const NOW = Date.parse("2026-11-24T12:00:00Z");

function run(runId: string, daysAgo: number | undefined, verifiedDaysAgo?: number): KnownRun {
  const at = (days: number | undefined) => days === undefined ? undefined : NOW - days * DAY_MS;
  return { runId, lastUsedMs: at(daysAgo), verifiedMs: at(verifiedDaysAgo) };
}

const select = (
  runs: KnownRun[],
  rule: { keep?: number; olderThanDays?: number },
  held: [string, string][] = [],
) => {
  const { remove, kept } = selectRuns(runs, new Map(held), rule, NOW);
  return { remove: remove.map(({ runId }) => runId), kept };
};

describe("selectRuns()", () => {
  const RUNS = [run("b", 20), run("a", 30), run("d", 1), run("c", 10)];

  it("removes all but the newest, the oldest first", () => {
    assertEquals(select(RUNS, { keep: 2 }), { remove: ["a", "b"], kept: [] });
    assertEquals(select(RUNS, { keep: 4 }), { remove: [], kept: [] });
    assertEquals(select(RUNS, { keep: 9 }), { remove: [], kept: [] });
  });

  it("removes what is older than a number of days, but not what is exactly as old", () => {
    assertEquals(select(RUNS, { olderThanDays: 10 }).remove, ["a", "b"]);
    assertEquals(select(RUNS, { olderThanDays: 9 }).remove, ["a", "b", "c"]);
    assertEquals(select(RUNS, { olderThanDays: 30 }).remove, []);
  });

  it("keeps runs that are needed, and says why", () => {
    assertEquals(select(RUNS, { keep: 1 }, [["a", "the table holds it"]]), {
      remove: ["b", "c"],
      kept: [{ run_id: "a", reason: "the table holds it" }],
    });
  });

  it("keeps the run that was verified last, even if others were used later", () => {
    assertEquals(select([run("a", 30, 30), run("b", 20, 20), run("c", 10), run("d", 1)], { keep: 1 }), {
      remove: ["a", "c"],
      kept: [{ run_id: "b", reason: "it is the last one that was verified" }],
    });
  });

  it("keeps runs of unknown age, which do not count", () => {
    const { remove, kept } = select([run("x", undefined), run("a", 2), run("b", 1)], { keep: 1 });
    assertEquals([remove, kept.map(({ run_id }) => run_id)], [["a"], ["x"]]);
  });
});

describe("selectDates()", () => {
  const dates = ["2026-11-03", "2026-11-10", "2026-11-17", "2026-11-24"]
    .map((importDate, index) => ({ importDate, runIds: [`r${index}`] }));
  const select = (rule: { keep?: number; olderThanDays?: number }, held: string[] = []) =>
    selectDates(dates, new Set(held), rule, NOW).map(({ importDate }) => importDate);

  it("removes old ones, but neither the newest nor one of a run that is needed", () => {
    assertEquals(select({ keep: 2 }), ["2026-11-03", "2026-11-10"]);
    assertEquals(select({ keep: 1 }, ["r1"]), ["2026-11-03", "2026-11-17"]);
    assertEquals(select({ olderThanDays: 10 }), ["2026-11-03", "2026-11-10"]);
    assertEquals(selectDates(dates, new Set(), { olderThanDays: 1 }, NOW + 90 * DAY_MS).length, 3);
  });
});
