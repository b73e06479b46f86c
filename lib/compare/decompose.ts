/**
 * Splits the change of revenue between two imports into parts that add up to it, to the cent: quantity (more pieces at the old average
 * price), price (the new pieces at new prices instead of old ones), and mix (everything else: dearer or cheaper products took a
 * larger share, came or went). No I/O.
 */

/** Sums of a group of sales, such as a product. */
export interface Group {
  /** Pieces. */
  quantity: bigint;
  /** Revenue in cents. */
  cents: bigint;
}

/** Parts of a change, in cents; quantity + price + mix = change. */
export interface Change {
  /** Revenue after minus revenue before. */
  change: bigint;
  /** By the number of pieces. */
  quantity: bigint;
  /** By prices. */
  price: bigint;
  /** By what was sold. */
  mix: bigint;
}

/** Returns a · b / c, rounded half away from zero; c is positive. */
function scale(a: bigint, b: bigint, c: bigint): bigint {
  const product = a * b;
  const size = product < 0n ? -product : product;
  const rounded = (2n * size + c) / (2n * c);
  return product < 0n ? -rounded : rounded;
}

/** Splits the change of one product. One that came or went is all mix. */
export function splitProduct(before: Group | undefined, after: Group | undefined): Change {
  const change = (after?.cents ?? 0n) - (before?.cents ?? 0n);
  if (!before || !after || before.quantity <= 0n || after.quantity <= 0n) {
    return { change, quantity: 0n, price: 0n, mix: change };
  }
  const atOldPrice = scale(before.cents, after.quantity, before.quantity);
  return { change, quantity: atOldPrice - before.cents, price: after.cents - atOldPrice, mix: 0n };
}

function sum(groups: Iterable<Group>): Group {
  const total = { quantity: 0n, cents: 0n };
  for (const { quantity, cents } of groups) {
    total.quantity += quantity;
    total.cents += cents;
  }
  return total;
}

/** Splits the change of many products together. */
export function splitProducts(before: ReadonlyMap<string, Group>, after: ReadonlyMap<string, Group>): Change {
  const [old, now] = [sum(before.values()), sum(after.values())];
  const change = now.cents - old.cents;
  const quantity = old.quantity > 0n ? scale(old.cents, now.quantity - old.quantity, old.quantity) : 0n;
  let price = 0n;
  for (const [product, group] of after) price += splitProduct(before.get(product), group).price;
  return { change, quantity, price, mix: change - quantity - price };
}
