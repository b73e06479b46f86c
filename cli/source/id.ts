/** `salesflow source id`: which number stands for an id of an export, and back. */
import { SalesflowError } from "../../lib/console/errors.ts";
import { toPrintable } from "../../lib/console/printable.ts";
import { readIds } from "../../lib/ingest/id_directory.ts";
import { toSurrogateKey } from "../../lib/ingest/values/ids.ts";
import { listRuns } from "../../lib/pipeline/records.ts";
import type { Store } from "../../lib/store/store.ts";

/** Largest number of an id. */
const MAX_NUMBER = 2n ** 63n - 1n;

/**
 * Returns lines `number  text` for ids: a number is looked up in the runs, the newest first; of a text the number is computed.
 *
 * @throws {SalesflowError} when no run knows a number
 */
export async function lookUpIds(
  store: Store,
  runId: string | undefined,
  ids: readonly string[],
): Promise<string[]> {
  const wanted = new Set(ids.filter((id) => /^\d+$/.test(id)));
  const texts = new Map<string, string>();
  const runs = runId === undefined ? (await listRuns(store)).reverse() : [runId];
  for (const run of runs) {
    if (texts.size === wanted.size) break;
    for await (const { number, text } of readIds(store, run)) {
      if (!wanted.has(number) || texts.has(number)) continue;
      texts.set(number, text);
      if (texts.size === wanted.size) break;
    }
  }
  return ids.map((id) => {
    const text = texts.get(id);
    if (text !== undefined) return `${id}  ${toPrintable(text, Infinity)}`;
    // Longer digits are no number of a table, but the text of an id.
    const isNumber = /^\d+$/.test(id) && BigInt(id) <= MAX_NUMBER;
    if (!isNumber) return `${toSurrogateKey(id).digits}  ${toPrintable(id, Infinity)}`;
    throw new SalesflowError(
      `No ${
        runId === undefined ? "run" : `id of run ${runId}`
      } in ${store.url} has the number ${id} for a text`,
      { exitCode: 2, remedy: "Ids that are numbers in the export stay as they are." },
    );
  });
}
