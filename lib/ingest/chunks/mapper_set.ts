/** Makes the mapper of each header from what a thread is told of the rules. No I/O. */
import { ColumnCopier } from "../source/column_copier.ts";
import type { Currencies } from "../source/currencies.ts";
import { HeaderNames } from "../source/header_names.ts";
import { LookupTable } from "../source/lookup_table.ts";
import {
  type Excluded,
  type Found,
  type Mapper,
  nothingFound,
  type Product,
  RecordMapper,
} from "../source/record_mapper.ts";
import type { SourceFile } from "../source/source_file.ts";
import { type PlainContext, type PlainFormat, PlainMapper } from "../plain/plain_mapper.ts";
import {
  createIdConverters,
  type IdConverters,
  type SurrogateKey,
  type SurrogateKeyBytes,
} from "../values/ids.ts";

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

/** Told of the texts that become surrogate keys; may be told of one more than once. */
export interface SurrogateSink {
  /** Receives a text. */
  add(key: SurrogateKey, text: string): void;
  /** Receives a text in UTF-8 that needs no quotes; both may change afterwards. */
  addBytes(key: SurrogateKeyBytes, text: Uint8Array): void;
}

/** Mappers by header. */
export class MapperSet {
  readonly #rules: MappingRules;
  readonly #lookups: ReadonlyMap<string, LookupTable>;
  readonly #ids: IdConverters;
  readonly #mappers = new Map<string, Mapper>();
  readonly #plain = new Map<string, PlainMapper | undefined>();
  readonly #found: Found = nothingFound();
  readonly #surrogates: SurrogateSink;

  /** Parses the lookup tables. */
  constructor(rules: MappingRules, surrogates: SurrogateSink) {
    this.#rules = rules;
    this.#surrogates = surrogates;
    this.#ids = createIdConverters((key, text) => surrogates.add(key, text));
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

  /**
   * Returns the mapper of bytes for a header that has all needed columns; undefined when only text can be mapped.
   *
   * @param format the same for all headers
   */
  getPlain(names: readonly string[], format: PlainFormat): PlainMapper | undefined {
    const { source, copies } = this.#rules;
    if (copies) return undefined;
    const key = names.join("\0");
    if (!this.#plain.has(key)) {
      const context: PlainContext = {
        source,
        header: new HeaderNames(names),
        lookups: this.#lookups,
        ids: this.#ids,
        found: this.#found,
        onSurrogateKey: (surrogate, text) => this.#surrogates.addBytes(surrogate, text),
      };
      this.#plain.set(key, PlainMapper.create(format, context));
    }
    return this.#plain.get(key);
  }

  /** Forgets what all mappers have found since it was last taken; surrogate keys are told of again. */
  discardFound(): void {
    this.takeFound();
    for (const converter of this.#ids.values()) converter.forget();
    for (const mapper of this.#plain.values()) mapper?.forget();
  }

  /** Returns what all mappers have found since it was last taken. */
  takeFound(): { excluded: Map<string, Excluded>; products: Product[]; currencies: Currencies } {
    const { excluded, products, currencies } = this.#found;
    const found = {
      excluded: new Map(excluded),
      products: Array.from(products.values(), ({ current }) => current),
      currencies: new Map(currencies),
    };
    currencies.clear();
    excluded.clear();
    products.clear();
    this.#found.taken++;
    return found;
  }
}
