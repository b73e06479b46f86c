/** Worker thread of the stage ingest: processes chunks. */
import { serveTasks } from "../../workers/serve_tasks.ts";
import type { ChunkResult, ChunkTask, ChunkWorkerData } from "./chunk.ts";

serveTasks<ChunkWorkerData, ChunkTask, ChunkResult>(async (data) => {
  // Not at the top, because WebAssembly in it is compiled asynchronously.
  const { ChunkProcessor } = await import("./chunk_processor.ts");
  const processor = new ChunkProcessor(data);
  return (task) => Promise.resolve(processor.run(task));
}, (result) => {
  const mapped = "bytes" in result ? result : result.mapped;
  if (!mapped) return [];
  const { lines, ends, high, low, checks } = mapped.surrogates;
  return [mapped.bytes, lines, ends, high, low, checks].map(({ buffer }) => buffer);
});
