/** Products of a chunk, in the form in which threads send them: each is described once and then called by a number. No I/O. */
import type { Product } from "../source/record_mapper.ts";

/** Number of products from which the numbers begin again. */
const MAX_NUMBERED = 1 << 16;

/** Products of a chunk. */
export interface NumberedProducts {
  /** Which thread numbers them. */
  thread: number;
  /** Whether earlier numbers of the thread have no meaning any more. */
  restarts: boolean;
  /** Products that get the next numbers. */
  added: readonly Product[];
  /** Numbers of the chunk's products, from 0 on; one that has other names in other lines has several. */
  numbers: Uint32Array<ArrayBuffer>;
}

/** Numbers the products of one thread. */
export class ProductNumberer {
  readonly #thread = crypto.getRandomValues(new Uint32Array(1))[0]!;
  /** Numbers of products that are met again and again, and of equal ones. */
  readonly #numbers = new Map<Product, number>();
  readonly #equal = new Map<string, number>();
  #restarts = true;

  /** Numbers the products of a chunk. */
  number(products: readonly Product[]): NumberedProducts {
    if (this.#numbers.size >= MAX_NUMBERED) this.forget();
    const restarts = this.#restarts;
    this.#restarts = false;
    const added: Product[] = [];
    const numbers = new Uint32Array(products.length);
    for (const [index, product] of products.entries()) {
      const known = this.#numbers.get(product);
      if (known !== undefined) {
        numbers[index] = known;
        continue;
      }
      const { id, sku, name, category } = product;
      const key = `${sku}\0${name}\0${category}`;
      let number = this.#equal.get(key);
      if (number === undefined) {
        number = this.#equal.size;
        this.#equal.set(key, number);
        added.push({ id, sku, name, category });
      }
      this.#numbers.set(product, number);
      numbers[index] = number;
    }
    return { thread: this.#thread, restarts, added, numbers };
  }

  /** Begins again: what was numbered last has not arrived. */
  forget(): void {
    this.#numbers.clear();
    this.#equal.clear();
    this.#restarts = true;
  }
}

/** Reads the numbers of all threads. */
export class ProductNumbers {
  readonly #threads = new Map<number, Product[]>();

  /** Returns the products of a chunk. */
  read({ thread, restarts, added, numbers }: NumberedProducts): Product[] {
    if (restarts) this.#threads.set(thread, []);
    const known = this.#threads.get(thread)!;
    known.push(...added);
    return Array.from(numbers, (number) => known[number]!);
  }
}
