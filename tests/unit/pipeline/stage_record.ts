import type { StageRecord } from "../../../lib/pipeline/records.ts";

/** Returns the record of a stage that is done, at the same time as every other unless `changes` say otherwise. */
export function stageRecord(stage: string, changes: Partial<StageRecord> = {}): StageRecord {
  return {
    stage,
    status: "done",
    engine: "native",
    attempt: 1,
    started_at: "2026-11-24T09:45:00.000Z",
    finished_at: "2026-11-24T09:45:02.000Z",
    seconds: 2,
    rows_in: 1_020_000,
    rows_out: 1_000_000,
    facts: {},
    error: null,
    ...changes,
  };
}
