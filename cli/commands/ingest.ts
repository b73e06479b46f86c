import { z } from "zod";
import type { ColumnMap } from "../../lib/ingest/header.ts";
import { ingest } from "../../lib/ingest/ingest.ts";
import { SALE_COLUMNS } from "../../lib/domain/sale.ts";
import { logger } from "../../lib/console/log.ts";
import { defineCommand } from "../command.ts";
import { stageOptions } from "../options.ts";
import { resolveFromCaller } from "../paths.ts";
import { Session } from "../session.ts";

const mapSchema = z.array(z.string()).default([]).transform((pairs, context) => {
  const map: ColumnMap = {};
  for (const pair of pairs) {
    const [ours, theirs] = [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)];
    const column = SALE_COLUMNS.find((name) => name === ours);
    const mistake = !column || !theirs || !pair.includes("=")
      ? `it must be OURS=THEIRS, where OURS is one of ${SALE_COLUMNS.join(", ")}`
      : map[column] === undefined
      ? undefined
      : `${column} has two names`;
    if (mistake) context.addIssue({ code: "custom", message: mistake });
    else map[column!] = theirs;
  }
  return map;
});

const encodingSchema = z.string().default("utf-8").refine((label) => {
  try {
    return new TextDecoder(label) !== undefined;
  } catch {
    return false;
  }
}, "it must be an encoding, such as utf-8 or windows-1251");

export default defineCommand({
  name: "ingest",
  summary: "Take the shop's own CSV export in place of generated sales",
  description:
    "Header in any order, extra columns ignored; comma, semicolon or tab; quotes, CRLF, byte order mark and gzip are understood.\n" +
    "Opens a run; go on with: salesflow run --from clean --run-id ID",
  positionals: { placeholder: "FILE…", min: 1, max: 10_000 },
  options: {
    map: {
      help: "The export's name of a column, may be given several times",
      placeholder: "OURS=THEIRS",
      many: true,
      schema: mapSchema,
      flagOnly: true,
    },
    encoding: {
      help: "Encoding of the files",
      placeholder: "NAME",
      schema: encodingSchema,
      defaultText: "utf-8",
    },
    ...stageOptions,
  },
  examples: ["salesflow ingest export.csv.gz --run-id orders --map sale_id=order_no --map sale_amount=total"],
  async run({ map, encoding, ...values }, files) {
    await Session.with(values, { newRun: "ingested" }, async (session) => {
      await session.stage(
        "ingest",
        (context) => ingest(context, { files: files.map(resolveFromCaller), map, encoding }),
      );
      logger("ingest").info(`next: salesflow run --run-id ${session.runId}`);
    });
  },
});
