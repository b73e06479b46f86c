import { doctor } from "../../lib/doctor/doctor.ts";
import type { Finding } from "../../lib/doctor/finding.ts";
import { readDatabaseUrls } from "../../lib/connection/database_urls.ts";
import { SalesflowError } from "../../lib/console/errors.ts";
import { asTyped } from "../../lib/console/invocation.ts";
import { type AnyCommand, defineCommand } from "../command.ts";
import { openDatabases } from "../databases.ts";
import { commonOptions, jsonOption, storeOptions } from "../options.ts";
import { openSelectedStore, shouldDrawProgress, startLogging } from "../session.ts";
import { stopSignal } from "../stop_signal.ts";

const LABELS: Record<Finding["state"], string> = { ok: "ok  ", warning: "warn", failed: "FAIL" };

function formatFinding({ state, subject, message, remedy }: Finding): string {
  // Error messages of databases already start with the name.
  const text = message.startsWith(`${subject} `) ? message : `${subject}: ${message}`;
  return `${LABELS[state]}  ${text}${remedy ? `\n      ${asTyped(remedy)}` : ""}`;
}

/** Returns the findings as docs/json.md describes them. */
function toJson(findings: readonly Finding[]) {
  const worst = (["failed", "warning"] as const).find((state) =>
    findings.some((finding) => finding.state === state)
  );
  return {
    status: worst ?? "ok",
    findings: findings.map(({ state, subject, message, remedy }) => ({
      state,
      subject,
      message,
      remedy: remedy === undefined ? null : asTyped(remedy),
    })),
  };
}

/** `salesflow doctor`. */
const command: AnyCommand = defineCommand({
  name: "doctor",
  summary: "Check configuration, connections, versions, disk and permissions, and suggest fixes",
  options: { ...jsonOption, ...storeOptions, ...commonOptions },
  databases: true,
  examples: ["salesflow doctor", "salesflow doctor --json"],
  async run(values) {
    await startLogging(values);
    const signal = stopSignal();
    const urls = readDatabaseUrls();
    const findings = await doctor({
      store: openSelectedStore(values),
      home: values.home,
      urls,
      signal,
      openDatabase: (database) =>
        openDatabases(values.home, { [database]: true }, urls, signal, shouldDrawProgress(values)),
      onFinding: (finding) => values.json || console.log(formatFinding(finding)),
    });
    if (values.json) console.log(JSON.stringify(toJson(findings), null, 2));
    const failed = findings.filter(({ state }) => state === "failed").length;
    if (failed > 0) throw new SalesflowError(`${failed} of ${findings.length} checks failed`);
    const warnings = findings.filter(({ state }) => state === "warning").length;
    if (values.json) return;
    console.log(warnings > 0 ? `No check failed; warnings: ${warnings}.` : "All checks passed.");
  },
});
export default command;
