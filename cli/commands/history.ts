import { formatHistory } from "../../lib/compare/format.ts";
import { readImports } from "../../lib/compare/imports.ts";
import { terminalWidth } from "../../lib/console/table.ts";
import { fromCents } from "../../lib/domain/money.ts";
import { type AnyCommand, defineCommand } from "../command.ts";
import { commonOptions, jsonOption, storeOptions } from "../options.ts";
import { withClickHouseOnly } from "../session.ts";

/** `salesflow history`. */
const command: AnyCommand = defineCommand({
  name: "history",
  summary: "Show all imports that ClickHouse has, each against the one before it",
  options: { ...jsonOption, home: storeOptions.home, ...commonOptions },
  databases: true,
  examples: ["salesflow history", "salesflow history --json"],
  async run({ json, ...values }) {
    const imports = await withClickHouseOnly(values, "history", readImports);
    if (json) {
      const rows = imports.map(({ date, runId, sales, quantity, cents, averageCents }) => ({
        import_date: date,
        run_id: runId,
        sales: Number(sales),
        quantity: Number(quantity),
        amount: fromCents(cents),
        average: fromCents(averageCents),
      }));
      console.log(JSON.stringify(rows, null, 2));
    } else {console.log(
        imports.length === 0 ? "There are no imports." : formatHistory(imports, terminalWidth()),
      );}
  },
});
export default command;
