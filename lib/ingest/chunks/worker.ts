/** Worker thread of the stage ingest: processes chunks. */
import { serveTasks } from "../../workers/serve_tasks.ts";
import type { ChunkResult, ChunkTask, ChunkWorkerData } from "./chunk.ts";

serveTasks<ChunkWorkerData, ChunkTask, ChunkResult>(async (data) => {
  // Not at the top, because WebAssembly in it is compiled asynchronously.
  const { ChunkProcessor } = await import("./chunk_processor.ts");
  const processor = new ChunkProcessor(data);
  return (task) => Promise.resolve(processor.run(task));
}, (result) => {
  if (!("bytes" in result)) return [];
  const { lines, ends, high, low, checks } = result.surrogates;
  return [result.bytes, lines, ends, high, low, checks].map(({ buffer }) => buffer);
});
