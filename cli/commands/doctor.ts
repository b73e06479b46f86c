import { doctor } from "../../lib/doctor/doctor.ts";
import type { Finding } from "../../lib/doctor/finding.ts";
import { databaseUrls } from "../../lib/connection/database_urls.ts";
import { SalesflowError } from "../../lib/console/errors.ts";
import { defineCommand } from "../command.ts";
import { openDatabases } from "../databases.ts";
import { commonOptions, storeOptions } from "../options.ts";
import { drawsProgress, startLogging, storeOf } from "../session.ts";
import { stopSignal } from "../stop_signal.ts";

const MARKS: Record<Finding["state"], string> = { fine: "ok  ", warning: "warn", broken: "FAIL" };

function line({ state, subject, found, remedy }: Finding): string {
  // An error of a database names it itself.
  const what = found.startsWith(`${subject} `) ? found : `${subject}: ${found}`;
  return `${MARKS[state]}  ${what}${remedy ? `\n      ${remedy}` : ""}`;
}

export default defineCommand({
  name: "doctor",
  summary:
    "Check configuration, connections, versions, disk and permissions, and say how to mend what is wrong",
  options: { ...storeOptions, ...commonOptions },
  databases: true,
  examples: ["salesflow doctor"],
  async run(values) {
    await startLogging(values);
    const signal = stopSignal();
    const urls = databaseUrls();
    const findings = await doctor({
      store: storeOf(values),
      home: values.home,
      urls,
      signal,
      open: (database) =>
        openDatabases(values.home, { [database]: true }, urls, signal, drawsProgress(values)),
      onFinding: (finding) => console.log(line(finding)),
    });
    const broken = findings.filter(({ state }) => state === "broken").length;
    if (broken > 0) throw new SalesflowError(`${broken} of ${findings.length} checks failed`);
    console.log("Everything needed is there.");
  },
});
