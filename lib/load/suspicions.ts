/** Looks for sales that passed all rules but hint at a wrong mapping of the shop's export, with the money at stake. */
import { toPrintable } from "../console/printable.ts";
import { sourceLine } from "../dataset/dataset.ts";
import { formatMoney } from "../domain/money.ts";
import type { Postgres, TextRow } from "../postgres/session.ts";
import flatAmountsSql from "./flat_amounts.sql" with { type: "text" };
import severalProductsSql from "./several_products.sql" with { type: "text" };
import type { LoadSource } from "./source.ts";

/** Sales of several pieces from which a pattern shows. */
const MIN_SALES = 3;
/** Share of them that must be flat, in tenths: a few are, by discounts. */
const FLAT_TENTHS = 9;

async function findSeveralProducts(db: Postgres, { runId, raw }: LoadSource): Promise<string[]> {
  const found = await db.one<TextRow & { rows: string; amount: string; examples: string }>(
    severalProductsSql,
    [runId],
  );
  if (found.rows === "0") return [];
  const examples: { sale_id: string; file: string; line: number }[] = JSON.parse(found.examples);
  const named = examples.map(({ sale_id, file, line }) => {
    const origin = raw ? sourceLine(raw, file, line) : { file, line };
    return `${sale_id} in ${toPrintable(origin.file)} line ${origin.line}`;
  });
  const rows = found.rows === "1" ? "1 row" : `${found.rows} rows`;
  return [
    `The sale_id of ${rows} of ${
      formatMoney(found.amount)
    } in all, which are rejected, stands for another product already: ` +
    `${named.join(", ")}. If it is the number of an order, join it with that of the line: ` +
    `{join: [Order, {line_within: Order}], with: "-"}`,
  ];
}

async function findFlatAmounts(db: Postgres): Promise<string[]> {
  const { rows, flat, missing } = await db.one<TextRow & { rows: string; flat: string; missing: string }>(
    flatAmountsSql,
  );
  if (Number(rows) < MIN_SALES || Number(flat) * 10 < Number(rows) * FLAT_TENTHS) return [];
  return [
    `The amount does not grow with the quantity in ${flat} of ${rows} sales of several pieces. If sale_amount holds prices, ` +
    `${formatMoney(missing)} are missing: say sale_amount: "[Price] * [Quantity]" in a source file`,
  ];
}

/**
 * Returns warnings about the sales of an ingested run that has been loaded; none for a generated one.
 *
 * @returns sentences without a full stop
 */
export async function findSuspicions(db: Postgres, source: LoadSource): Promise<string[]> {
  if (source.source === "generated") return [];
  const conflicts = source.facts.rejected_by_reason.conflicting_duplicate;
  return [...(conflicts > 0 ? await findSeveralProducts(db, source) : []), ...await findFlatAmounts(db)];
}
