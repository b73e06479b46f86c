/** Maps exports without writing anything, for `salesflow source preview`. */
import { parse } from "csv-parse";
import type { ChunkContent, MappedChunk } from "./chunks/chunk.ts";
import { ChunkProcessor } from "./chunks/chunk_processor.ts";
import { FileMapper } from "./chunks/map_file.ts";
import type { MappingRules } from "./chunks/mapper_set.ts";
import { openEntries } from "./entries.ts";
import type { Input } from "./inputs.ts";
import { addExcluded, type Excluded } from "./source/record_mapper.ts";
import { logWarnings } from "./warnings.ts";

/** A row as it would be in raw/. */
export interface PreviewedRow {
  /** Path of the export. */
  file: string;
  /** Line of the export. */
  line: number;
  /** The line as the export has it; values of formats without lines are separated by ` | `. */
  before: string;
  /** The raw line. */
  after: string;
}

/** What was found in the exports. */
export interface PreviewedExclusions {
  /** Excluded lines, by the name of the rule. */
  excluded: ReadonlyMap<string, Excluded & { file: string }>;
  /** Texts of surrogate keys. */
  texts: ReadonlyMap<string, string>;
}

/** Number of kept texts of surrogate keys from which no more are kept: enough for the rows that are shown. */
const MAX_TEXTS = 10_000;

/** Returns the texts of a chunk's lines. */
function linesBefore(content: ChunkContent): (line: number) => string {
  if (content.kind === "text") {
    const encoding = content.format.type === "csv" ? content.format.encoding : "utf-8";
    const lines = new TextDecoder(encoding).decode(content.bytes).split("\n");
    return (line) => lines[line - 1] ?? "";
  }
  const texts = new Map(content.records.map(({ line, values, text }) => [line, text ?? values!.join(" | ")]));
  return (line) => texts.get(line) ?? "";
}

/**
 * Maps exports to the end.
 *
 * @param onRow receives each row
 * @throws {SalesflowError} when a file cannot be read or lacks a column
 */
export async function preview(
  inputs: readonly Input[],
  rules: MappingRules,
  onRow: (row: PreviewedRow) => void,
): Promise<PreviewedExclusions> {
  const excluded = new Map<string, Excluded & { file: string }>();
  const texts = new Map<string, string>();
  const decoder = new TextDecoder();
  for (const input of inputs) {
    for await (const { path, export: { header, chunks, encoding } } of openEntries(input, rules)) {
      const processor = new ChunkProcessor({ rules, seeds: [0, 0, 0] });
      let textAt: (line: number) => string = () => "";
      let line = header.lastLine;
      const take = async (chunk: MappedChunk) => {
        for (const [rule, lines] of chunk.excluded) {
          const known = excluded.get(rule);
          if (known) addExcluded(excluded, rule, lines);
          else excluded.set(rule, { ...lines, file: path });
        }
        if (texts.size < MAX_TEXTS) {
          for await (const [key, text] of parse(decoder.decode(chunk.surrogates.lines))) texts.set(key, text);
        }
        const lines = decoder.decode(chunk.bytes).split("\n");
        for (const [index, after] of lines.entries()) {
          if (after !== "") onRow({ file: path, line: line + index + 1, before: textAt(index + 1), after });
        }
        line += lines.length - 1;
      };
      const mapper = new FileMapper(
        {
          threads: 1,
          lend: () =>
            Promise.resolve({ run: (task) => Promise.resolve(processor.run(task)), release: () => {} }),
          write: take,
          fail: () => {},
        },
        header.names,
        header.lastLine,
      );
      for await (const chunk of chunks) {
        // Taken before the processor gets the bytes: it may be asked for them only once.
        textAt = linesBefore(chunk);
        await mapper.add(chunk);
        await mapper.close();
      }
      logWarnings(path, mapper.summary, encoding, rules);
    }
  }
  return { excluded, texts };
}
