import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { formatPrune } from "../../../cli/format_prune.ts";

const NOTHING = { dry_run: false, runs: [], import_dates: [], staging_tables: [], kept: [], bytes: 0 };
const RUN = { last_used: "2026-08-18T09:45:00.000Z", folder_bytes: 2e6 };

describe("formatPrune()", () => {
  it("says that nothing was removed", () => {
    assertEquals(formatPrune(NOTHING), "Removed 0 runs, 0 import dates, 0 staging tables: 0 kB.");
  });

  it("lists all that goes, and what stays although it is old", () => {
    const text = formatPrune({
      ...NOTHING,
      dry_run: true,
      runs: [
        { ...RUN, run_id: "a", rejected_rows: 1_234, rejected_bytes: 5_000 },
        { ...RUN, run_id: "b", rejected_rows: null, rejected_bytes: null },
      ],
      import_dates: [{ import_date: "2026-08-18", rows: 906, bytes: 25_000 }],
      staging_tables: [{ database: "postgres", name: "sales_part_1", bytes: 1e6 }],
      kept: [{ run_id: "c", reason: "shop.sales holds its rows" }],
      bytes: 5.03e6,
    }, 80);
    const lines = text.split("\n");
    assertEquals(lines[3]!.replaceAll(/ +/g, " "), "│ a │ 2026-08-18 UTC │ 2 MB │ 1,234 │ 5 kB │");
    assertEquals(lines[4]!.replaceAll(/ +/g, " "), "│ b │ 2026-08-18 UTC │ 2 MB │ │ │");
    assertEquals(lines.slice(6), [
      "ClickHouse, import date 2026-08-18: 906 rows, 25 kB",
      "PostgreSQL, shop.sales_part_1, left by an interrupted stage: 1 MB",
      "Kept c: shop.sales holds its rows",
      "Would remove 2 runs, 1 import date, 1 staging table: 5 MB. Nothing was removed.",
    ]);
  });
});
