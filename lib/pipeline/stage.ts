/** The interface of a stage: its names, its context and its result. */
import type { IsoDate } from "../domain/dates.ts";
import type { Store } from "../store/store.ts";

/** The stages in execution order. A stage's name is also its folder, its subcommand and its Airflow task id. */
export const STAGES = [
  "migrate",
  "generate",
  "clean",
  "load",
  "aggregate",
  "transfer",
  "verify",
  "report",
] as const;

/** One of {@linkcode STAGES}, or `ingest`, which replaces `generate`. */
export type StageName = typeof STAGES[number] | "ingest";

/** Everything that a stage has access to. */
export interface StageContext {
  /** Id of the run. */
  readonly runId: string;
  /** As-of date of the run. */
  readonly asOf: IsoDate;
  /** Store of the run. */
  readonly store: Store;
  /** Connection URL with password; for lib/postgres only. */
  readonly postgresUrl: string;
  /** Connection URL with password; for lib/clickhouse only. */
  readonly clickhouseUrl: string;
  /** Aborted when the user or the system asks the command to stop. */
  readonly signal: AbortSignal;
  /** Reports the rows processed so far out of `total`, undefined if unknown. */
  progress(rows: number, total?: number): void;
}

/** Result of a stage, for its log line and its record. */
export interface StageResult {
  /** Rows read. */
  rowsIn: number;
  /** Rows written. */
  rowsOut: number;
  /** Further facts for the record, in snake_case. */
  facts: Record<string, unknown>;
  /** What was done, for the log line. @default the counts of rows */
  summary?: string;
  /** Only some of the parts were written. The command that writes the last one completes the stage. */
  unfinished?: boolean;
}
