import { z } from "zod";
import { isEncoding } from "../../lib/ingest/formats/encoding.ts";
import type { ColumnMap } from "../../lib/ingest/header.ts";
import { checkExports, ingest, type IngestOptions } from "../../lib/ingest/ingest.ts";
import { SALE_COLUMNS } from "../../lib/domain/sale.ts";
import { asTyped } from "../../lib/console/invocation.ts";
import { escapePlaceholders, logger } from "../../lib/console/log.ts";
import { type AnyCommand, defineCommand } from "../command.ts";
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
      : `${column} is mapped twice`;
    if (mistake) context.addIssue({ code: "custom", message: mistake });
    else map[column!] = theirs;
  }
  return map;
});

const encodingSchema = z.string().default("utf-8").refine(
  isEncoding,
  "it must be an encoding, such as utf-8 or windows-1251",
);

/** `salesflow ingest`. */
const command: AnyCommand = defineCommand({
  name: "ingest",
  summary: "Import a CSV export instead of generated sales",
  description:
    "Columns may be in any order; extra columns are ignored. Delimiters: comma, semicolon or tab. Supports quotes, CRLF,\n" +
    "byte order marks and gzip.\n" +
    "Creates a run. Continue with: salesflow run --from clean --run-id ID",
  positionals: { placeholder: "FILE…", min: 1, max: 10_000 },
  options: {
    map: {
      help: "The export's name for a column; may be repeated",
      placeholder: "OURS=THEIRS",
      multiple: true,
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
    const options: IngestOptions = { files: files.map(resolveFromCaller), map, encoding };
    await Session.with(values, { newRun: "ingested" }, async (session) => {
      await checkExports(options, session.signal);
      await session.stage("ingest", (context) => ingest(context, options));
      const next = asTyped(`salesflow run --run-id ${session.runId}`);
      logger("ingest").info(escapePlaceholders(`next: ${next}`));
    });
  },
});
export default command;
