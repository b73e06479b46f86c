/** What all formats of exports become when they are opened. */
import type { ChunkContent } from "./chunks/chunk.ts";
import type { Header } from "./source/find_header.ts";

/** An export whose columns have been found. */
export interface OpenedExport {
  /** Its header; its lines are 0 where a format has none. */
  header: Header;
  /** Encoding, as the Encoding standard calls it. */
  encoding: string;
  /** What follows the header, to be read once. */
  chunks: AsyncIterable<ChunkContent>;
  /** Closes it, whether it has been read to its end or not. */
  close(): Promise<void>;
}
