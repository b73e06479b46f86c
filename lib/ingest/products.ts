/** The products of a run's exports, for `raw/products.csv`. No I/O. */
import { quoteField, toSingleLine } from "../dataset/csv_field.ts";
import { PRODUCT_COLUMNS } from "../dataset/products.ts";
import type { Product } from "./source/record_mapper.ts";

/** Formats a text that PostgreSQL can store: without NUL characters. */
function field(text: string): string {
  return quoteField(toSingleLine(text).replaceAll("\0", "\ufffd"));
}

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

/** Products by number; the last name and category stay. */
export class ProductList {
  readonly #products = new Map<string, Writable<Product>>();

  /** Adds the products of later lines. */
  add(products: Iterable<Product>): void {
    for (const product of products) {
      // 007 and 7 are one number.
      const id = product.id.startsWith("0") ? BigInt(product.id).toString() : product.id;
      // Shops write 0 for no product; clean rejects its sales.
      if (id === "0") continue;
      const known = this.#products.get(id);
      if (!known) {
        this.#products.set(id, { ...product, id });
        continue;
      }
      if (product.name !== "") known.name = product.name;
      if (product.category !== "") known.category = product.category;
    }
  }

  /** Number of products. */
  get size(): number {
    return this.#products.size;
  }

  /** Returns them as CSV, sorted by number; their prices are not known. Empty texts are quoted, because COPY takes others for NULL. */
  toCsv(): string {
    const sorted = [...this.#products.values()].sort((a, b) => compareDigits(a.id, b.id));
    const lines = sorted.map(({ id, sku, name, category }) =>
      [id, field(name || sku), field(category) || '""', "", "", field(sku)].join(",")
    );
    return [PRODUCT_COLUMNS.join(","), ...lines, ""].join("\n");
  }
}

/** Compares numbers without leading zeros. */
function compareDigits(a: string, b: string): number {
  return a.length - b.length || (a < b ? -1 : a > b ? 1 : 0);
}
