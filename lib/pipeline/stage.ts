/** What every stage is given and what it gives back. */
import type { IsoDate } from "../domain/dates.ts";
import type { Store } from "../store/store.ts";

/** The stages in the order of the data's way. A stage's name is its folder, its subcommand and its Airflow task id. */
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

/** One of {@linkcode STAGES}, or `ingest`, which stands in for `generate`. */
export type StageName = typeof STAGES[number] | "ingest";

/** Everything a stage may touch. */
export interface StageContext {
  readonly runId: string;
  readonly asOf: IsoDate;
  readonly store: Store;
  /** Connection URL with password; for lib/postgres only. */
  readonly postgresUrl: string;
  /** Connection URL with password; for lib/clickhouse only. */
  readonly clickhouseUrl: string;
  /** Fires when the person or the system asks the command to stop. */
  readonly signal: AbortSignal;
  /** Reports rows done so far out of `total` (undefined when nobody knows). */
  progress(rows: number, total?: number): void;
}

/** What a stage did, for people and for the run's records. */
export interface StageResult {
  rowsIn: number;
  rowsOut: number;
  facts: Record<string, unknown>;
  /** Only a share was done; whoever does the last one finishes the stage. */
  unfinished?: boolean;
}
