/** Makes the mapper of each header from what a thread is told of the rules. No I/O. */
import { ColumnCopier } from "../source/column_copier.ts";
import { HeaderNames } from "../source/header_names.ts";
import { LookupTable } from "../source/lookup_table.ts";
import { type Found, type Mapper, nothingFound, RecordMapper } from "../source/record_mapper.ts";
import type { SourceFile } from "../source/source_file.ts";
import { createIdConverters, type IdConverters, type OnSurrogateKey } from "../values/ids.ts";

/** A lookup table that has been read. */
export interface LookupText {
  /** Path as in the source file. */
  path: string;
  /** Number of columns that are looked up. */
  columns: number;
  /** Content, which has been parsed once without mistakes. */
  text: string;
}

/** Rules, in a form that can be sent to threads. */
export interface MappingRules {
  /** The source file. */
  source: SourceFile;
  /** Its lookup tables in files. */
  lookups: readonly LookupText[];
  /** Whether the source file only stands for `--map`: values are copied as they stand. */
  copies: boolean;
}

/** Mappers by header. */
export class MapperSet {
  readonly #rules: MappingRules;
  readonly #lookups: ReadonlyMap<string, LookupTable>;
  readonly #ids: IdConverters;
  readonly #mappers = new Map<string, Mapper>();
  readonly #found: Found = nothingFound();

  /** Parses the lookup tables. */
  constructor(rules: MappingRules, onSurrogateKey: OnSurrogateKey) {
    this.#rules = rules;
    this.#ids = createIdConverters(onSurrogateKey);
    this.#lookups = new Map(
      rules.lookups.map(({ path, columns, text }) => [path, LookupTable.parse(text, columns, path)]),
    );
  }

  /** Returns the mapper of a header that has all needed columns. */
  get(names: readonly string[]): Mapper {
    const key = names.join("\0");
    let mapper = this.#mappers.get(key);
    if (!mapper) {
      const { source, copies } = this.#rules;
      const header = new HeaderNames(names);
      mapper = copies
        ? new ColumnCopier(source, header, this.#found)
        : new RecordMapper({ source, header, lookups: this.#lookups }, this.#ids, this.#found);
      this.#mappers.set(key, mapper);
    }
    return mapper;
  }

  /** Forgets what all mappers have found since it was last taken; surrogate keys are told of again. */
  discardFound(): void {
    this.takeFound();
    for (const converter of this.#ids.values()) converter.forget();
  }

  /** Returns what all mappers have found since it was last taken. */
  takeFound(): Found {
    const { excluded, products } = this.#found;
    const found = { excluded: new Map(excluded), products: new Map(products) };
    excluded.clear();
    products.clear();
    return found;
  }
}
