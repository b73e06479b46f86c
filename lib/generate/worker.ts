/** Makes parts of the raw dataset on a thread of its own. */
import { answerTasks } from "../workers/answer.ts";
import { SALE_HEADER } from "../domain/sale.ts";
import type { Part } from "../dataset/dataset.ts";
import { PartWriter } from "../dataset/part_writer.ts";
import { openStore } from "../store/open_store.ts";
import { LineBuffer } from "./line_buffer.ts";
import { type DefectCounts, RawLines, type SaleSums } from "./raw_lines.ts";
import { Shop, type ShopParameters } from "./shop.ts";

/** What a worker is told once. */
export interface GenerateSetUp {
  storeUrl: string;
  folder: string;
  parameters: ShopParameters;
  defectRate: number;
}

/** One part to make: sales `from` (included) to `to` (excluded). */
export interface GenerateTask {
  name: string;
  from: number;
  to: number;
}

/** The part that was made, what was injected into it, and what its valid sales add up to. */
export interface GenerateAnswer {
  part: Part;
  counts: DefectCounts;
  sums: SaleSums;
}

const BUFFER_BYTES = 1 << 20;

answerTasks<GenerateSetUp, GenerateTask, GenerateAnswer>(({ storeUrl, folder, parameters, defectRate }) => {
  const store = openStore(storeUrl);
  const lines = new LineBuffer(BUFFER_BYTES);
  const shop = new Shop(parameters);
  return async ({ name, from, to }, progress) => {
    const raw = new RawLines(shop, defectRate);
    const writer = await PartWriter.create(store, folder, name, SALE_HEADER);
    try {
      for (let index = from; index < to; index++) {
        raw.write(index, lines);
        if (!lines.hasRoom) {
          await writer.write(lines.filled);
          lines.clear();
          progress(raw.counts.rows);
        }
      }
      await writer.write(lines.filled);
      lines.clear();
      return { part: await writer.close(raw.counts.raw_rows), counts: raw.counts, sums: raw.sums };
    } catch (error) {
      await writer.abort();
      throw error;
    }
  };
});
