/** Worker thread of the stage generate: writes parts of the raw dataset. */
import { serveTasks } from "../workers/serve_tasks.ts";
import { SALE_HEADER } from "../domain/sale.ts";
import type { Part } from "../dataset/dataset.ts";
import { PartWriter } from "../dataset/part_writer.ts";
import { openStore } from "../store/open_store.ts";
import { LineBuffer } from "./line_buffer.ts";
import { type DefectCounts, RawLineWriter, type SaleSums } from "./raw_line_writer.ts";
import { Shop, type ShopParameters } from "./shop.ts";

/** Data that each worker gets once, at its start. */
export interface GenerateWorkerData {
  /** URL of the store. */
  storeUrl: string;
  /** Folder of the raw dataset. */
  folder: string;
  /** Parameters of the shop. */
  parameters: ShopParameters;
  /** Share of sales followed by an injected row, and share of sales in another format. */
  defectRate: number;
}

/** One part to generate, with sales [from, to). */
export interface GenerateTask {
  /** Name of the part. */
  name: string;
  /** Index of the first sale. */
  from: number;
  /** Index after the last sale. */
  to: number;
}

/** The generated part, the counts of injected defects, and the sums of its valid sales. */
export interface GenerateTaskResult {
  /** The written part. */
  part: Part;
  /** Counts of injected defects. */
  counts: DefectCounts;
  /** Sums of the valid sales. */
  sums: SaleSums;
}

const BUFFER_BYTES = 1 << 20;

serveTasks<GenerateWorkerData, GenerateTask, GenerateTaskResult>(
  ({ storeUrl, folder, parameters, defectRate }) => {
    const store = openStore(storeUrl);
    const lines = new LineBuffer(BUFFER_BYTES);
    const shop = new Shop(parameters);
    return async ({ name, from, to }, progress) => {
      const raw = new RawLineWriter(shop, defectRate);
      const writer = await PartWriter.create(store, folder, name, SALE_HEADER);
      try {
        for (let index = from; index < to; index++) {
          raw.writeSale(index, lines);
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
  },
);
