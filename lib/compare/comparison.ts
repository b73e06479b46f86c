/** Compares two imports: as a whole, by region and by product. No I/O. */
import { type Change, type Group, splitProduct, splitProducts } from "./decompose.ts";
import type { Import, ImportGroups } from "./imports.ts";
import { findUsual, isUnusual } from "./unusual.ts";

/** What became of a region or a product. */
export interface Compared extends Change {
  /** Name of the region, or number of the product. */
  key: string;
  /** Revenue before, in cents; undefined when it was not there. */
  before: bigint | undefined;
  /** Revenue after, in cents; undefined when it is not there any more. */
  after: bigint | undefined;
  /** Whether its change stands out from those of the other products. */
  unusual: boolean;
}

/** Two imports side by side. */
export interface Comparison {
  /** The one to compare with. */
  before: Import;
  /** The other one. */
  after: Import;
  /** Change of the whole revenue. */
  total: Change;
  /** By name. */
  regions: Compared[];
  /** By the size of the change, the largest first. */
  products: Compared[];
  /** Whether there are enough products to tell what is usual. */
  hasUsual: boolean;
}

function centsOf(groups: ReadonlyMap<string, Group> | undefined): bigint | undefined {
  return groups && [...groups.values()].reduce((sum, { cents }) => sum + cents, 0n);
}

function size(cents: bigint): bigint {
  return cents < 0n ? -cents : cents;
}

/**
 * Returns the change of a product's revenue, divided by what chance alone makes of it: of n pieces, √n. So dear and cheap products,
 * and those that sell often or rarely, can be compared. Not exact, and need not be: it only decides what is marked.
 */
function scoreOf(before: Group | undefined, after: Group | undefined): number {
  const pieces = Number((before?.quantity ?? 0n) + (after?.quantity ?? 0n));
  const cents = Number((before?.cents ?? 0n) + (after?.cents ?? 0n));
  return cents > 0 && pieces > 0
    ? Number((after?.cents ?? 0n) - (before?.cents ?? 0n)) * Math.sqrt(pieces) / cents
    : 0;
}

/** Compares two imports. */
export function compareImports(
  [before, old]: readonly [Import, ImportGroups],
  [after, now]: readonly [Import, ImportGroups],
): Comparison {
  const nothing = new Map<string, Group>();
  const regions = [...new Set([...old.regions.keys(), ...now.regions.keys()])].sort().map((key): Compared => {
    const [a, b] = [old.regions.get(key), now.regions.get(key)];
    const change = splitProducts(a ?? nothing, b ?? nothing);
    return { key, before: centsOf(a), after: centsOf(b), ...change, unusual: false };
  });
  const keys = [...new Set([...old.products.keys(), ...now.products.keys()])];
  const scores = keys.map((key) => scoreOf(old.products.get(key), now.products.get(key)));
  const usual = findUsual(scores);
  const products = keys.map((key, index): Compared => {
    const [a, b] = [old.products.get(key), now.products.get(key)];
    const unusual = usual !== undefined && isUnusual(scores[index]!, usual);
    return { key, before: a?.cents, after: b?.cents, ...splitProduct(a, b), unusual };
  });
  products.sort((a, b) => Number(size(b.change) - size(a.change)) || (a.key < b.key ? -1 : 1));
  return {
    before,
    after,
    total: splitProducts(old.products, now.products),
    regions,
    products,
    hasUsual: usual !== undefined,
  };
}
