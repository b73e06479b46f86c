/** Both passes of cleaning, on a thread of its own. */
import type { Part } from "../dataset/dataset.ts";
import { type Measure, measureFile } from "../dataset/part_reader.ts";
import { openStore } from "../store/open_store.ts";
import { answerTasks } from "../workers/answer.ts";
import { RangeValidator, type ValidatedRows } from "./validate.ts";
import { type Range, readLines } from "./lines.ts";
import type { DayRange } from "./rules.ts";
import { writeParts } from "./write_parts.ts";

/** What a worker is told once. */
export interface CleanSetUp {
  storeUrl: string;
  rawFolder: string;
  cleanFolder: string;
  rejectedFolder: string;
  dayRange: DayRange;
  hashSeed: number;
}

/** First pass (validate) or second pass (write) over a range; beside the first, the measure of a whole part. */
export type CleanTask =
  | { pass: "validate"; range: Range }
  | { pass: "measure"; part: string }
  | { pass: "write"; range: Range; statuses: Uint8Array<ArrayBuffer>; linesBefore: number; name: string };

/** What the passes return. */
export type CleanAnswer =
  | { pass: "validate"; validated: ValidatedRows; headerLines: number }
  | { pass: "measure" } & Measure
  | { pass: "write"; clean: Part; rejected: Part };

answerTasks<CleanSetUp, CleanTask, CleanAnswer>((setUp) => {
  const store = openStore(setUp.storeUrl);
  const validator = new RangeValidator(setUp.dayRange, setUp.hashSeed);
  return async (task) => {
    if (task.pass === "measure") {
      return { pass: "measure", ...await measureFile(store, `${setUp.rawFolder}/${task.part}`) };
    }
    const { bytes, headerLines } = await readLines(store, setUp.rawFolder, task.range);
    if (task.pass === "validate") {
      return { pass: "validate", validated: validator.validate(bytes), headerLines };
    }
    const { cleanFolder, rejectedFolder, dayRange } = setUp;
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
}, (answer) => {
  if (answer.pass !== "validate") return [];
  const { statuses, idLow, idHigh, hashLow, hashHigh } = answer.validated;
  return [statuses.buffer, idLow.buffer, idHigh.buffer, hashLow.buffer, hashHigh.buffer];
});
