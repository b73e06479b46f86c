import { type Compared, compareImports, type Comparison } from "../../lib/compare/comparison.ts";
import type { Change } from "../../lib/compare/decompose.ts";
import { formatComparison } from "../../lib/compare/format.ts";
import {
  chooseImports,
  type Import,
  readGroups,
  readImports,
  readProductNames,
} from "../../lib/compare/imports.ts";
import { terminalWidth } from "../../lib/console/table.ts";
import { fromCents } from "../../lib/domain/money.ts";
import { type AnyCommand, defineCommand } from "../command.ts";
import { commonOptions, jsonOption, storeOptions } from "../options.ts";
import { withClickHouseOnly } from "../session.ts";

function changeFields({ change, quantity, price, mix }: Change) {
  return {
    change: fromCents(change),
    by_quantity: fromCents(quantity),
    by_price: fromCents(price),
    by_mix: fromCents(mix),
  };
}

function importFields({ date, runId, cents }: Import) {
  return { import_date: date, run_id: runId, amount: fromCents(cents) };
}

function comparedFields(compared: Compared) {
  const { before, after } = compared;
  return {
    before: before === undefined ? null : fromCents(before),
    after: after === undefined ? null : fromCents(after),
    ...changeFields(compared),
  };
}

/** Returns the result for other programs, as docs/json.md describes it. */
function toJson({ before, after, total, regions, products }: Comparison): string {
  return JSON.stringify(
    {
      before: importFields(before),
      after: importFields(after),
      ...changeFields(total),
      regions: regions.map((region) => ({ region: region.key, ...comparedFields(region) })),
      products: products.map((product) => ({
        product_id: product.key,
        ...comparedFields(product),
        unusual: product.unusual,
      })),
    },
    null,
    2,
  );
}

/** `salesflow compare`. */
const command: AnyCommand = defineCommand({
  name: "compare",
  summary: "Compare two imports: what rose and fell, and by quantity, price or mix",
  description:
    "Imports are named by their date or their run; by default the last two are compared, one alone with the last.",
  positionals: { placeholder: "BEFORE AFTER", min: 0, max: 2 },
  options: { ...jsonOption, home: storeOptions.home, ...commonOptions },
  databases: true,
  examples: ["salesflow compare", "salesflow compare 2026-11-17 2026-11-24", "salesflow compare --json"],
  async run({ json, ...values }, names) {
    const text = await withClickHouseOnly(values, "compare", async (db) => {
      const [before, after] = chooseImports(await readImports(db), names);
      const comparison = compareImports(
        [before, await readGroups(db, before)],
        [after, await readGroups(db, after)],
      );
      return json
        ? toJson(comparison)
        : formatComparison(comparison, await readProductNames(db), terminalWidth());
    });
    console.log(text);
  },
});
export default command;
