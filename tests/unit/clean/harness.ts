/** Runs `clean` on raw parts that a test writes, and checks what holds for any input. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { clean, type CleanOptions } from "../../../lib/clean/clean.ts";
import { REASONS, REJECTED_HEADER } from "../../../lib/domain/sale.ts";
import type { Store } from "../../../lib/store/store.ts";
import { makeContext, readRows, writeRawDataset } from "../store/harness.ts";

/** Rejects any number of rows, on two threads. */
export const OPTIONS: CleanOptions = { maxRejected: 1, checkDateRange: true, workers: 2 };
const CANONICAL =
  /^(?:[1-9]\d{0,18},){3}[1-9]\d{0,9},\d{4}-\d{2}-\d{2},(0|[1-9]\d{0,11})\.\d{2},(North|South|East|West)$/;

/** Cleans raw parts and checks the invariants that hold for any input. */
export async function cleanAndCheck(
  store: Store,
  bodies: (string | Uint8Array)[],
  more: Partial<CleanOptions> = {},
  rawFacts: Record<string, unknown> = {},
): Promise<{ rows: string[]; rejected: string[]; facts: Record<string, unknown> }> {
  await writeRawDataset(store, bodies, { facts: rawFacts });
  const { rowsIn, rowsOut, facts } = await clean(makeContext(store), { ...OPTIONS, ...more });
  const rows = await readRows(store, "clean");
  const rejected = await readRows(store, "rejected", { header: REJECTED_HEADER });
  const reasons = facts.rejected_by_reason as Record<string, number>;
  assertEquals(rowsIn, facts.rows_in);
  assertEquals(rowsOut, rows.length);
  assertEquals(facts.rows_out, rows.length);
  assertEquals(facts.rejected, rejected.length);
  assertEquals(facts.rows_in, rows.length + Number(facts.duplicates) + rejected.length);
  assertEquals(Object.values(reasons).reduce((sum, count) => sum + count), rejected.length);
  const ids = new Set<string>();
  for (const row of rows) {
    assertMatch(row, CANONICAL);
    ids.add(row.slice(0, row.indexOf(",")));
  }
  assertEquals(ids.size, rows.length);
  for (const line of rejected) {
    const [, , , reason] = /^(part-\d{5}\.csv),([1-9]\d*),([a-z_]+),"(?:[^"]|"")*"$/.exec(line)!;
    assert(REASONS.some((name) => name === reason), line);
    assert(!line.includes("\0"));
  }
  return { rows, rejected, facts };
}

/** Returns a canonical line with this sale_id. */
export function sale(
  id: number | string,
  more: Partial<Record<"quantity" | "date" | "amount" | "region", string>> = {},
): string {
  const { quantity = "1", date = "2026-11-24", amount = "10.00", region = "East" } = more;
  return `${id},1,1,${quantity},${date},${amount},${region}`;
}
