/** Worker thread of the stage clean: runs both passes. */
import type { Part } from "../dataset/dataset.ts";
import { type Measure, measureFile } from "../dataset/part_reader.ts";
import { openStore } from "../store/open_store.ts";
import { serveTasks } from "../workers/serve_tasks.ts";
import { RangeValidator, type ValidatedRows } from "./validate.ts";
import { type ByteRange, readLines } from "./lines.ts";
import type { AmountSums } from "./rejected_amounts.ts";
import type { DayRange } from "./rules.ts";
import { writeParts } from "./write_parts.ts";

/** Data that each worker gets once, at its start. */
export interface CleanWorkerData {
  /** URL of the store. */
  storeUrl: string;
  /** Folder of the raw dataset. */
  rawFolder: string;
  /** Folder of the clean dataset. */
  cleanFolder: string;
  /** Folder of the rejected dataset. */
  rejectedFolder: string;
  /** Accepted days. */
  dayRange: DayRange;
  /** Seed of the content hash, the same in all workers. */
  hashSeed: number;
}

/** First pass (validate) or second pass (write) over a range, or size and checksum of a whole part (measure). */
export type CleanTask =
  | { pass: "validate"; range: ByteRange }
  | { pass: "measure"; part: string }
  | { pass: "write"; range: ByteRange; statuses: Uint8Array<ArrayBuffer>; linesBefore: number; name: string };

/** Result of a task. */
export type CleanTaskResult =
  | { pass: "validate"; validated: ValidatedRows; headerLines: number }
  | { pass: "measure" } & Measure
  | { pass: "write"; clean: Part; rejected: Part; amounts: AmountSums };

serveTasks<CleanWorkerData, CleanTask, CleanTaskResult>((workerData) => {
  const store = openStore(workerData.storeUrl);
  const validator = new RangeValidator(workerData.dayRange, workerData.hashSeed);
  return async (task) => {
    if (task.pass === "measure") {
      return { pass: "measure", ...await measureFile(store, `${workerData.rawFolder}/${task.part}`) };
    }
    const { bytes, headerLines } = await readLines(store, workerData.rawFolder, task.range);
    if (task.pass === "validate") {
      return { pass: "validate", validated: validator.validate(bytes), headerLines };
    }
    const { cleanFolder, rejectedFolder, dayRange } = workerData;
    const linesBefore = task.linesBefore + headerLines;
    const { statuses, name } = task;
    const options = {
      store,
      cleanFolder,
      rejectedFolder,
      name,
      rawPart: task.range.part,
      linesBefore,
      dayRange,
    };
    return { pass: "write", ...await writeParts(bytes, statuses, options) };
  };
}, (result) => {
  if (result.pass !== "validate") return [];
  const { statuses, idLow, idHigh, hashLow, hashHigh } = result.validated;
  return [statuses.buffer, idLow.buffer, idHigh.buffer, hashLow.buffer, hashHigh.buffer];
});
