/** Suggests the rules of quantity and sale_amount: whether an amount is that of a unit, of a line, or of an order. No I/O. */
import { type Column, countValues, toNumber } from "./column_stats.ts";
import { describeFilled, type Findings, numericColumns, type SuggestedRule, undecided } from "./findings.ts";
import type { Candidate } from "./pick_columns.ts";
import { columnRule } from "./yaml_text.ts";

/** Shares of lines that decide. */
const MOST = 0.9;
const PERCENT = /%|percent|pct|процент/;
/** Amounts may differ by what was rounded. */
const TOLERANCE = 0.011;

/** Suggests quantity. */
export function suggestQuantity(findings: Findings): SuggestedRule {
  const column = findings.best("quantity");
  if (!column) {
    return undecided(
      'which column is the quantity? Where each line is one piece: {value: "1"}',
      numericColumns(findings.columns),
    );
  }
  return {
    comments: [`${column.name}: ${describeFilled(column)}`],
    value: columnRule(column.name),
    uses: [column],
  };
}

/** A number of each record; NaN where there is none. */
function numbersOf({ rows, numbers, sample }: Findings, column: Column): number[] {
  const style = sample.isTyped ? undefined : numbers.style;
  return rows.map((row) => row[column.index]!.trim() === "" ? NaN : toNumber(row[column.index]!, style));
}

/** What an amount does when the same product is sold in another quantity. */
type Scaling = { kind: "unit" | "line"; products: number } | undefined;

function findScaling(findings: Findings, amount: Column, quantity: Column): Scaling {
  const product = findings.best("sku") ?? findings.best("productName");
  if (!product) return undefined;
  const [amounts, quantities] = [numbersOf(findings, amount), numbersOf(findings, quantity)];
  const byProduct = new Map<string, [quantity: number, amount: number][]>();
  findings.rows.forEach((row, index) => {
    const [count, sum] = [quantities[index]!, amounts[index]!];
    const key = row[product.index]!.trim();
    if (key === "" || !(count > 0) || !(sum > 0)) return;
    const pairs = byProduct.get(key) ?? [];
    pairs.push([count, sum]);
    byProduct.set(key, pairs);
  });
  let [unit, line] = [0, 0];
  for (const pairs of byProduct.values()) {
    const [first, ...rest] = pairs;
    const other = rest.find(([count]) => count !== first![0]);
    if (!other) continue;
    const [constant, scaled] = [other[1] / first![1], other[1] / first![1] * first![0] / other[0]];
    if (Math.abs(constant - 1) < 0.01) unit++;
    else if (Math.abs(scaled - 1) < 0.01) line++;
  }
  if (unit + line === 0) return undefined;
  if (unit >= (unit + line) * MOST) return { kind: "unit", products: unit };
  return line >= (unit + line) * MOST ? { kind: "line", products: line } : undefined;
}

/** Returns in how many lines an amount is price × quantity, less the discount if there is one. */
function countProducts(
  findings: Findings,
  amount: Column,
  price: Column,
  quantity: Column,
): { equal: number; lines: number } {
  const [sums, prices, counts] = [amount, price, quantity].map((column) => numbersOf(findings, column));
  const discount = findings.best("discount");
  const discounts = discount && numbersOf(findings, discount);
  let [equal, lines] = [0, 0];
  sums!.forEach((sum, index) => {
    const product = prices![index]! * counts![index]!;
    if (Number.isNaN(sum) || Number.isNaN(product)) return;
    lines++;
    const off = discounts?.[index] || 0;
    const options = [product, product - Math.abs(off), product * (1 - off), product * (1 - off / 100)];
    if (options.some((option) => Math.abs(sum - option) <= TOLERANCE)) equal++;
  });
  return { equal, lines };
}

/** Reports whether all lines of an order have one and the same amount, though their products differ: that of the order. */
function isOrderAmount(findings: Findings, amount: Column, order: Column | undefined): boolean {
  const product = findings.best("sku") ?? findings.best("productName");
  if (!order || !product) return false;
  const orders = new Map<string, { products: Set<string>; amounts: Set<string> }>();
  for (const row of findings.rows) {
    const key = row[order.index]!.trim();
    if (key === "") continue;
    const known = orders.get(key) ?? { products: new Set(), amounts: new Set() };
    known.products.add(row[product.index]!.trim());
    known.amounts.add(row[amount.index]!.trim());
    orders.set(key, known);
  }
  const several = [...orders.values()].filter(({ products }) => products.size > 1);
  return several.length > 1 && several.every(({ amounts }) => amounts.size === 1);
}

/** Returns the term that takes off a discount; undefined when there is none. */
function discountTerm(
  findings: Findings,
  amount: string,
): { term: string; column: Column; remark: string } | undefined {
  const column = findings.best("discount");
  if (!column) return undefined;
  const numbers = numbersOf(findings, column).filter((number) => !Number.isNaN(number));
  const hasPercent = PERCENT.test(column.words) || column.filled.some((value) => value.includes("%"));
  if (hasPercent) {
    return {
      term: `${amount} * (1 - [${column.name}] / 100)`,
      column,
      remark: `${column.name} is in percent`,
    };
  }
  const isRate = numbers.some((number) => number > 0) && numbers.every((number) => number >= 0 && number < 1);
  if (isRate) {
    return {
      term: `${amount} * (1 - [${column.name}])`,
      column,
      remark: `${column.name} is a share: all are below 1`,
    };
  }
  const isNegative = numbers.some((number) => number < 0) && numbers.every((number) => number <= 0);
  return {
    term: `${amount} ${isNegative ? "+" : "-"} [${column.name}]`,
    column,
    remark: `${column.name} is taken off the line`,
  };
}

function byUnit(findings: Findings, price: Column, quantity: Column, evidence: string): SuggestedRule {
  const product = `[${price.name}] * [${quantity.name}]`;
  const discount = discountTerm(findings, product);
  return {
    comments: [`${price.name} is the price of a unit${evidence}${discount ? `; ${discount.remark}` : ""}`],
    value: JSON.stringify(discount?.term ?? product),
    uses: [price, quantity, ...(discount ? [discount.column] : [])],
  };
}

function asLine(findings: Findings, amount: Column, evidence: string): SuggestedRule {
  // Amazon's reports give promotions beside the amounts of lines.
  const promotion = findings.all("discount").find(({ words }) => words.includes("promotion"));
  const isNegative = promotion !== undefined && numbersOf(findings, promotion).some((number) => number < 0);
  return {
    comments: [
      `${amount.name} is the amount of a line${evidence}${
        promotion ? `; ${promotion.name} is taken off` : ""
      }`,
    ],
    value: promotion
      ? JSON.stringify(`[${amount.name}] ${isNegative ? "+" : "-"} [${promotion.name}]`)
      : columnRule(amount.name),
    uses: [amount, ...(promotion ? [promotion] : [])],
  };
}

const hasNoBrackets = ({ name }: Column) => !/[[\]]/.test(name);

/** Suggests sale_amount. @param order column of the order's number */
export function suggestAmount(findings: Findings, order: Column | undefined): SuggestedRule {
  const quantity = findings.best("quantity");
  const isUsable = (column: Candidate) =>
    hasNoBrackets(column) && column.index !== quantity?.index && !isOrderAmount(findings, column, order);
  const amounts = findings.all("amount").filter(isUsable);
  const prices = findings.all("price").filter((column) =>
    hasNoBrackets(column) && column.index !== quantity?.index
  );
  const [price, amount] = [prices[0], amounts[0]];
  const isSettlement = findings.columns.some(({ words }) => words === "amount description");
  if (isSettlement && amount) return asLine(findings, amount, ", as settlements have it");
  const isAmazon = findings.columns.some(({ words }) => words === "amazon order id");
  if (isAmazon && price && price.words === "item price") {
    return asLine(findings, price, ", as Amazon's order reports have it");
  }
  if (!quantity) {
    return amount && !amount.isVague
      ? asLine(findings, amount, ", by its name")
      : undecidedAmount(findings, undefined);
  }
  if (price && amount) {
    for (const each of amounts) {
      const { equal, lines } = countProducts(findings, each, price, quantity);
      if (lines > 0 && equal >= lines * MOST) {
        return asLine(
          findings,
          each,
          `: in ${equal} of ${lines} lines it is ${price.name} * ${quantity.name}${
            findings.best("discount") ? `, as it stands or less ${findings.best("discount")!.name}` : ""
          }`,
        );
      }
    }
  }
  for (const each of [...amounts, ...prices].filter(({ isVague }) => isVague || !(price && amount))) {
    const scaling = findScaling(findings, each, quantity);
    const products = scaling && `${scaling.products} ${scaling.products === 1 ? "product" : "products"}`;
    if (scaling?.kind === "unit") {
      return byUnit(findings, each, quantity, `: it stays the same with other quantities of ${products}`);
    }
    if (scaling?.kind === "line") {
      return asLine(findings, each, `: it grows with the quantity of ${products}`);
    }
  }
  if (amount && !amount.isVague) return asLine(findings, amount, ", by its name");
  if (price && !price.isVague) return byUnit(findings, price, quantity, ", by its name");
  const vague = amount ?? price;
  if (vague && quantitiesAreOne(findings, quantity)) {
    return asLine(findings, vague, ": all quantities here are 1, so look again when there are others");
  }
  return undecidedAmount(findings, quantity);
}

function quantitiesAreOne(findings: Findings, quantity: Column): boolean {
  return countValues(numbersOf(findings, quantity).filter((value) => !Number.isNaN(value)).map(String)).every(
    ([value]) => value === "1",
  );
}

function undecidedAmount(findings: Findings, quantity: Column | undefined): SuggestedRule {
  const product = quantity ? ` If it is the price of a unit: "[PRICE] * [${quantity.name}]".` : "";
  const candidates = [...findings.all("amount"), ...findings.all("price")];
  return undecided(
    `which column is the amount of a line (not of its order)?${product}`,
    candidates.length > 0
      ? candidates
      : numericColumns(findings.columns).filter(({ index }) => index !== quantity?.index),
  );
}
