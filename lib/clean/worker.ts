/** Both passes of cleaning, on a thread of its own. */
import type { Part } from "../dataset/dataset.ts";
import { type Measure, measureFile } from "../dataset/part_reader.ts";
import { openStore } from "../store/open_store.ts";
import { answerTasks } from "../workers/answer.ts";
import { Judge, type Judged } from "./validate.ts";
import { type Range, readLines } from "./lines.ts";
import type { DayRange } from "./rules.ts";
import { sortOut } from "./write_parts.ts";

/** What a worker is told once. */
export interface CleanSetUp {
  storeUrl: string;
  rawFolder: string;
  cleanFolder: string;
  rejectedFolder: string;
  dayRange: DayRange;
  hashSeed: number;
}

/** First pass (judge) or second pass (sort out) over a range; beside the first, the measure of a whole part. */
export type CleanTask =
  | { pass: "judge"; range: Range }
  | { pass: "measure"; part: string }
  | { pass: "sortOut"; range: Range; verdicts: Uint8Array<ArrayBuffer>; linesBefore: number; name: string };

/** What the passes return. */
export type CleanAnswer =
  | { pass: "judge"; judged: Judged; headerLines: number }
  | { pass: "measure" } & Measure
  | { pass: "sortOut"; clean: Part; rejected: Part };

answerTasks<CleanSetUp, CleanTask, CleanAnswer>((setUp) => {
  const store = openStore(setUp.storeUrl);
  const judge = new Judge(setUp.dayRange, setUp.hashSeed);
  return async (task) => {
    if (task.pass === "measure") {
      return { pass: "measure", ...await measureFile(store, `${setUp.rawFolder}/${task.part}`) };
    }
    const { bytes, headerLines } = await readLines(store, setUp.rawFolder, task.range);
    if (task.pass === "judge") return { pass: "judge", judged: judge.judge(bytes), headerLines };
    const { cleanFolder, rejectedFolder, dayRange } = setUp;
    const linesBefore = task.linesBefore + headerLines;
    const { verdicts, name } = task;
    const options = {
      store,
      cleanFolder,
      rejectedFolder,
      name,
      rawPart: task.range.part,
      linesBefore,
      dayRange,
    };
    return { pass: "sortOut", ...await sortOut(bytes, verdicts, options) };
  };
}, (answer) => {
  if (answer.pass !== "judge") return [];
  const { verdicts, idLow, idHigh, hashLow, hashHigh } = answer.judged;
  return [verdicts.buffer, idLow.buffer, idHigh.buffer, hashLow.buffer, hashHigh.buffer];
});
